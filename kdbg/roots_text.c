/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was and was not scanned, in one line that fits a terminal. */
#include "kdbg/number_text.h"
#include "kdbg/roots_internal.h"

#include <inttypes.h>
#include <stdio.h>

static void put_size(FILE *out, uint64_t bytes)
{
	char text[NUMBER_TEXT_SIZE];

	number_as_size(bytes, text);
	fputs(text, out);
}

static void describe_cut_stacks(const struct roots *roots, FILE *out)
{
	uint64_t bytes = 0;
	size_t stacks = 0;

	for (size_t i = 0; i < roots->gap_count; i++) {
		if (roots->gaps[i].missing || roots->gaps[i].tid)
			continue;
		stacks++;
		bytes += roots->gaps[i].end - roots->gaps[i].start;
	}
	if (!stacks)
		return;
	fprintf(out, "; not scanned: stacks of %zu ended thread%s (", stacks,
		stacks == 1 ? "" : "s");
	put_size(out, bytes);
	fputc(')', out);
}

void roots_describe(const struct roots *roots, char *buffer, size_t size)
{
	static const char *const names[] = {
		[ROOT_DATA] = "data",
		[ROOT_STACK] = "stacks",
		[ROOT_REGISTERS] = "registers",
		[ROOT_OTHER] = "other",
	};
	FILE *out = fmemopen(buffer, size, "w");

	buffer[0] = '\0';
	if (!out)
		return;
	fputs("roots:", out);
	for (int kind = 0; kind < ROOT_IGNORED; kind++) {
		fprintf(out, "%s %s ", kind ? "," : "", names[kind]);
		put_size(out, roots->kind_bytes[kind]);
		fprintf(out, " in %zu", roots->kind_count[kind]);
	}
	if (roots->kind_bytes[ROOT_IGNORED])
		fprintf(out, "; ignored by the program: %" PRIu64 " buffers",
			roots->kind_bytes[ROOT_IGNORED] / sizeof(uint64_t));
	describe_cut_stacks(roots, out);
	if (roots->missing) {
		fputs("; missing: ", out);
		put_size(out, roots->missing);
	}
	if (roots->blind_threads)
		fprintf(out, "; missing: registers of %zu thread%s",
			roots->blind_threads,
			roots->blind_threads == 1 ? "" : "s");
	fclose(out);
}
