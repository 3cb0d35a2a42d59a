/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/report.h"
#include "kdbg/report_finding.h"

#include "kdbg/check_merge.h"
#include "kdbg/check_signature.h"
#include "kdbg/suppressions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	GROUPS_SHOWN = 20, /* of one process; the rest is counted */
	NAME_LONG = 72,
};

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* What follows the arguments of a template that begin here; NULL: they do not
 * end. */
static const char *arguments_end(const char *at)
{
	size_t depth = 0;

	for (; *at; at++) {
		if (*at == '<')
			depth++;
		else if (*at == '>' && at[-1] != '-' && --depth == 0)
			return at + 1;
	}
	return NULL;
}

/* Of a long name, not what stands between angle brackets: it hides the rest. */
static void put_function(FILE *out, const char *name)
{
	const char *end;

	if (strlen(name) <= NAME_LONG) {
		fputs(name, out);
		return;
	}
	while (*name) {
		if (strncmp(name, "operator", 8) == 0) {
			size_t length = 8 + strspn(name + 8, "<>=-");

			fwrite(name, 1, length, out);
			name += length;
		} else if (*name == '<' && (end = arguments_end(name))) {
			fputs("<...>", out);
			name = end;
		} else {
			fputc(*name++, out);
		}
	}
}

static void put_frame(FILE *out, const struct check_result *result,
		      const struct check_frame *frame)
{
	char path[PATH_MAX];

	put_function(out, frame->function ? frame->function : "?");
	if (!frame->file)
		return;
	report_name_file(result, frame, path, sizeof(path));
	fprintf(out, " (%s:%u)", path, frame->line);
}

/* From the function of the allocator that was called, by its name alone, to
 * main or where a thread begins. */
static void put_stack(FILE *out, const struct check_result *result,
		      const char *title, const struct check_stack *stack)
{
	size_t first, end;

	if (!stack->count)
		return;
	if (title)
		fprintf(out, "    %s:\n", title);
	check_signature_span(stack, &first, &end);
	if (first)
		fprintf(out, "        %s\n", stack->frames[first - 1].function);
	for (size_t i = first; i < end; i++) {
		fputs("        ", out);
		put_frame(out, result, &stack->frames[i]);
		fputc('\n', out);
	}
	if (stack->truncated && end == stack->count)
		fputs("        ...\n", out);
}

static void put_leak(FILE *out, const struct check_result *result,
		     const struct check_leak *leak)
{
	static const char *const states[] = {
		[BASELINE_NONE] = "",
		[BASELINE_NEW] = "new, ",
		[BASELINE_GROWN] = "grown, ",
		[BASELINE_KNOWN] = "known, ",
	};

	fprintf(out,
		"  %s%s leak: %" PRIu64 " byte%s in %" PRIu64 " buffer%s%s",
		states[leak->baseline], leak->class, leak->bytes,
		plural(leak->bytes), leak->leaked, plural(leak->leaked),
		leak->cycle ? " (a cycle)" : "");
	if (leak->retained > leak->bytes)
		fprintf(out, ", holding %" PRIu64, leak->retained);
	fprintf(out, ", %s", leak->cache);
	if (leak->more_caches)
		fprintf(out, " and %" PRIu64 " more", leak->more_caches);
	fprintf(out, "%s%s, allocated by ", leak->malloc_type ? ", type " : "",
		leak->malloc_type ? leak->malloc_type : "");
	put_frame(out, result, &leak->caller);
	fprintf(out, "%s%s\n", leak->moment ? ", in " : "",
		leak->moment ? leak->moment : "");
	put_stack(out, result, NULL, &leak->stack);
}

/* "0x23 is 3 bytes after the 24-byte buffer 0x8: 00 there, not ef" */
static void put_position(FILE *out, const struct check_error *error)
{
	uint64_t address = error->address, end = error->buffer + error->size;
	unsigned expected = error->expected & 0xff, found = error->found & 0xff;
	bool before = address < error->buffer, after = address >= end;
	uint64_t bytes = before  ? error->buffer - address
			 : after ? address - end
				 : address - error->buffer;

	if (!error->buffer)
		return;
	fprintf(out, "    %#" PRIx64 " is ", address);
	if (address == error->buffer)
		fprintf(out, "the start of a %" PRIu64 "-byte buffer",
			error->size);
	else
		fprintf(out,
			"%" PRIu64 " byte%s %s the %" PRIu64
			"-byte buffer %#" PRIx64,
			bytes, plural(bytes),
			before  ? "before"
			: after ? "after"
				: "inside",
			error->size, error->buffer);
	if (expected != found)
		fprintf(out, ": %02x there, not %02x", found, expected);
	fputc('\n', out);
}

static void put_error(FILE *out, const struct check_result *result,
		      const struct check_error *error, size_t alike)
{
	fputs("  heap error", out);
	if (alike)
		fprintf(out, ", and %zu more like it", alike);
	fprintf(out, ": %s\n", error->message);
	put_position(out, error);
	put_stack(out, result, "reported by", &error->reported);
	put_stack(out, result, "allocated by", &error->allocated);
	put_stack(out, result, "freed by", &error->freed);
}

/* What is done again and again is told once. */
static void put_errors(FILE *out, const struct check_result *result,
		       const struct check_error *errors, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t before = 0, alike = 0;

		for (size_t k = 0; k < i; k++)
			before += check_errors_alike(&errors[k], &errors[i]);
		for (size_t k = i + 1; k < count; k++)
			alike += check_errors_alike(&errors[i], &errors[k]);
		if (!before)
			put_error(out, result, &errors[i], alike);
	}
}

static void put_crash(FILE *out, const struct check_result *result,
		      const struct check_crash *crash)
{
	fprintf(out, "  killed by %s\n", crash->message);
	put_stack(out, result, NULL, &crash->stack);
}

/* alike: how many more there are of which the same is to be said. */
static void put_name(FILE *out, const struct check_process *process,
		     size_t alike)
{
	fprintf(out, "%s (pid %u%s",
		*process->path ? process->path : "a program without a name",
		process->pid,
		process->replaced ? ", until its exec"
		: process->forked ? ", forked"
				  : "");
	if (alike)
		fprintf(out, ", and %zu more like it", alike);
	fputc(')', out);
}

static void put_counts(FILE *out, const struct check_process *process,
		       size_t alike)
{
	put_name(out, process, alike);
	fputs(alike ? ": each " : ": ", out);
	if (process->leaked_buffers || process->errors_reported)
		report_totals(process, out);
	else
		fputs("no leaks", out);
	fputc('\n', out);
}

static void put_leaks(FILE *out, const struct check_result *result,
		      const struct check_leak *leaks, size_t count)
{
	for (size_t i = 0; i < count && i < GROUPS_SHOWN; i++)
		put_leak(out, result, &leaks[i]);
	if (count > GROUPS_SHOWN)
		fprintf(out, "  ... and %zu groups more: --jsonl has all\n",
			count - GROUPS_SHOWN);
}

static void put_findings(FILE *out, const struct check_result *result,
			 const struct check_process *process, size_t alike)
{
	fputc('\n', out);
	put_counts(out, process, alike);
	if (process->crash)
		put_crash(out, result, process->crash);
	put_errors(out, result, process->errors, process->error_count);
	put_leaks(out, result, process->leaks, process->leak_count);
	if (process->possible_count)
		fprintf(out,
			"  referred to from inside only, %s: %" PRIu64
			" byte%s in %" PRIu64 " buffer%s\n",
			result->possible_fails ? "a failure as asked"
					       : "no failure",
			process->possible_bytes,
			plural(process->possible_bytes),
			process->possible_buffers,
			plural(process->possible_buffers));
	put_leaks(out, result, process->possible, process->possible_count);
	if (process->trust)
		fprintf(out, "  %s\n", process->trust);
	if (process->dump_failure)
		fprintf(out, "  its dump could not be written: %s\n",
			process->dump_failure);
	if (process->dump)
		fprintf(out,
			"  to look further: kdbg %s, then ::findleaks -dv\n",
			process->dump);
}

/* "2 processes, 57 buffers checked: 120 bytes leaked in 3 buffers" */
static void put_summary(FILE *out, const struct check_result *result)
{
	const struct check_totals *own = &result->own;

	fprintf(out,
		"kdbg check: %zu process%s, %" PRIu64 " buffer%s checked: ",
		result->checked, result->checked == 1 ? "" : "es",
		result->buffers, plural(result->buffers));
	if (own->leaked_buffers)
		fprintf(out,
			"%" PRIu64 " byte%s leaked in %" PRIu64 " buffer%s",
			own->leaked_bytes, plural(own->leaked_bytes),
			own->leaked_buffers, plural(own->leaked_buffers));
	else
		fputs("no leaks", out);
	if (own->possible)
		fprintf(out, ", %zu possible", own->possible);
	if (own->errors)
		fprintf(out, ", %zu heap error%s", own->errors,
			plural(own->errors));
	if (result->unchecked)
		fprintf(out, "; %zu not checked", result->unchecked);
	fputc('\n', out);
}

static bool is_shown(const struct check_result *result,
		     const struct check_process *process, bool system)
{
	return process->verdict != CHECK_IGNORED && process->system == system &&
	       (check_has_findings(result, process) ||
		check_has_crashed(process));
}

/* Marks the later ones of list that read like the one at index; how many. */
static size_t take_alike(const struct check_process **list,
			 const uint64_t *hashes, size_t count, size_t index)
{
	size_t alike = 0;

	for (size_t i = index + 1; i < count; i++)
		if (list[i] && hashes[i] == hashes[index] &&
		    check_alike(list[index], list[i])) {
			list[i] = NULL;
			alike++;
		}
	return alike;
}

/* Processes that read the same are told once. */
static void put_own(FILE *out, const struct check_result *result)
{
	const struct check_process **list =
		calloc(result->count + 1, sizeof(*list));
	uint64_t *hashes = calloc(result->count + 1, sizeof(*hashes));
	size_t count = 0;

	for (size_t i = 0; i < result->count; i++) {
		const struct check_process *process = &result->processes[i];
		if (!is_shown(result, process, false))
			continue;
		if (!list || !hashes) { /* no memory: each by itself */
			put_findings(out, result, process, 0);
			continue;
		}
		list[count] = process;
		hashes[count++] = check_alike_hash(process);
	}
	for (size_t i = 0; i < count; i++)
		if (list[i])
			put_findings(out, result, list[i],
				     take_alike(list, hashes, count, i));
	free(hashes);
	free(list);
}

static int by_path(const void *a, const void *b)
{
	const struct check_process *x = *(const struct check_process *const *)a;
	const struct check_process *y = *(const struct check_process *const *)b;

	return strcmp(x->path, y->path);
}

/* The processes of one program, from list on; how many they are. */
static size_t put_system_program(FILE *out,
				 const struct check_process *const *list,
				 size_t count)
{
	struct check_process sum = { .path = list[0]->path };
	size_t n = 0;

	for (; n < count && strcmp(list[n]->path, sum.path) == 0; n++) {
		sum.leaked_buffers += list[n]->leaked_buffers;
		sum.leaked_bytes += list[n]->leaked_bytes;
		sum.errors_reported += list[n]->errors_reported;
	}
	fprintf(out, "  %s (%zu process%s):", sum.path, n, n == 1 ? "" : "es");
	fputc(' ', out);
	report_totals(&sum, out);
	fputc('\n', out);
	return n;
}

/* Who runs a script wants to know of its own programs: a line must do. */
static void put_system(FILE *out, const struct check_result *result)
{
	const struct check_process **list =
		calloc(result->count + 1, sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; list && i < result->count; i++)
		if (is_shown(result, &result->processes[i], true))
			list[count++] = &result->processes[i];
	if (count) {
		qsort(list, count, sizeof(*list), by_path);
		fputs("\nIn programs of the system, which do not fail the "
		      "check "
		      "(--strict-children shows more):\n",
		      out);
	}
	for (size_t i = 0; i < count;)
		i += put_system_program(out, list + i, count - i);
	free(list);
}

static bool same_reason(const struct check_process *a,
			const struct check_process *b)
{
	return a->verdict == b->verdict && strcmp(a->path, b->path) == 0 &&
	       strcmp(a->reason, b->reason) == 0;
}

/* How many after the one at index, or before it, are unchecked like it. */
static size_t count_unchecked(const struct check_result *result, size_t from,
			      size_t upto, size_t index)
{
	const struct check_process *process = &result->processes[index];
	size_t count = 0;

	for (size_t i = from; i < upto; i++)
		count += same_reason(&result->processes[i], process);
	return count;
}

static void put_unchecked(FILE *out, const struct check_result *result,
			  enum check_verdict verdict, const char *title)
{
	for (size_t i = 0; i < result->count; i++) {
		const struct check_process *process = &result->processes[i];
		if (process->verdict != verdict ||
		    count_unchecked(result, 0, i, i))
			continue;
		if (title)
			fprintf(out, "\n%s:\n", title);
		title = NULL;
		fputs("  ", out);
		put_name(out, process,
			 count_unchecked(result, i + 1, result->count, i));
		fprintf(out, ": %s\n", process->reason);
	}
}

static bool any_dump(const struct check_result *result)
{
	for (size_t i = 0; i < result->count; i++)
		if (result->processes[i].dump)
			return true;
	return false;
}

static void put_baseline(FILE *out, const struct check_result *result)
{
	if (!result->baseline)
		return;
	fprintf(out, "\nBaseline %s: %zu known place%s%s\n", result->baseline,
		result->known, plural(result->known),
		result->baseline_updated ? ", all of this run are now" : "");
	for (size_t i = 0; i < result->gone_count; i++) {
		const struct check_gone *gone = &result->gone[i];
		fprintf(out,
			"  gone: %" PRIu64 " bytes in %" PRIu64
			" buffers of %s, allocated by %s\n",
			gone->bytes, gone->buffers, gone->program, gone->place);
	}
}

/* What the suppressions did, and what the user may add to them. */
static void put_suppressions(FILE *out, const struct check_result *result)
{
	suppressions_report(result->suppressions, out);
	if (result->gen_suppressions)
		suppressions_generate(result, out);
}

void report_text(const struct check_result *result, FILE *out)
{
	put_summary(out, result);
	if (result->timed_out)
		fprintf(out, "ended by --timeout after %u second%s\n",
			result->timeout, plural(result->timeout));
	put_own(out, result);
	put_system(out, result);
	put_unchecked(out, result, CHECK_UNCHECKED, "Not checked");
	put_unchecked(out, result, CHECK_ALLOWED,
		      "Not checked, and need not be");
	if (result->lost)
		fprintf(out,
			"\n%" PRIu64 " event%s did not fit the roster: some "
			"process is on no account\n",
			result->lost, plural(result->lost));
	put_baseline(out, result);
	put_suppressions(out, result);
	if (!result->checked)
		fputs("\nNo process was checked.\n", out);
	if ((result->own.groups || result->own.errors ||
	     (result->possible_fails && result->own.possible)) &&
	    !any_dump(result))
		fputs("\nTo look further, run it again with --dump-dir DIR and "
		      "open the dump with kdbg.\n",
		      out);
}
