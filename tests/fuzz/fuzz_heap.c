/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A heap in which any words are wrong, and all that kdbg tells of heaps. The
 * bytes are patches of a small whole heap (unit/heap_sample.h), eleven each:
 *
 *	| where, 3 | how, 1 | value, 7 |
 *
 * how: 1, 2, 4 or 8 bytes (bits 0-1); the value as it is, or an address in the
 * metadata, in the heap, or near a word that was there (bits 2-3).
 */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/session.h"
#include "kdbg/sink.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/heap_sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATCH_SIZE = 11, PATCHES_MAX = 64 };

static uint64_t number(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, bytes, size);
	return value;
}

static uint64_t value_of(const struct heap_image *image, unsigned how,
			 uint64_t value, uint64_t before)
{
	switch (how >> 2 & 3) {
	case 1:
		return IMAGE_META + value % image->used;
	case 2:
		return IMAGE_HEAP + value % (IMAGE_PAGES * 4096);
	case 3:
		return before + (uint64_t)(int64_t)(int8_t)value;
	default:
		return value;
	}
}

static void patch(const struct heap_image *image, const uint8_t *bytes)
{
	size_t size = (size_t)1 << (bytes[3] & 3);
	size_t at = (size_t)number(bytes, 3) % (image->used - 8);
	uint64_t before = 0, value;

	memcpy(&before, image->meta + at, size);
	value = value_of(image, bytes[3], number(bytes + 4, 7), before);
	memcpy(image->meta + at, &value, size);
}

/* Takes target over. */
static void ask(struct target *target)
{
	static const char *const commands[] = {
		"::kmastat",
		"::kmem_cache",
		"::kmem_status",
		"::kmem_verify",
		"::kmausers -e",
		"::findleaks",
		"::kmalog",
		"::kma_error",
		"::doctor",
		"::topusers",
		"::walk kmem_slab",
		"::walk bufctl | ::bufctl -h",
		"::walk kmem | ::whatis",
		"::walk freemem | ::whatis -a",
		"::walk leakbuf | ::whyleak",
	};
	struct sink out = { .ops = &json_sink_ops };
	struct session session;

	out.stream = out.notes = fopen("/dev/null", "w");
	if (session_init(&session, target, dcmd_table, walker_table))
		abort();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		session_run(&session, commands[i], NULL, &out);
	session_deinit(&session);
	fclose(out.stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heap_sample sample = heap_sample_make();

	for (size_t i = 0; i < PATCHES_MAX && (i + 1) * PATCH_SIZE <= size; i++)
		patch(sample.image, data + i * PATCH_SIZE);
	ask(heap_image_finish(sample.image));
	return 0;
}
