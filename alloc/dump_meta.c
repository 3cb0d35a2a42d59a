/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Level meta: what of our own memory may leave the house.
 *
 * Metadata tells of the program's bytes without having any, but for what quotes
 * them: reports, their ring, the contents log. Our static data is another
 * matter (registers of stopped threads, paths, texts of the environment): of
 * that, what a debugger reads is kept, and nothing else. All of it is found
 * anew for each piece that is written: it may be damaged, so walks are bounded.
 */
#include "alloc/dump_impl.h"

#include "alloc/cache.h"
#include "alloc/foreign.h"
#include "alloc/log.h"
#include "alloc/meta.h"
#include "alloc/root.h"
#include "alloc/schema.h"
#include "alloc/stack.h"
#include "alloc/vmem.h"

#include <string.h>

enum { LOGS_MAX = 8, ARENAS_MAX = 64 };

struct piece {
	uint64_t address;
	unsigned char *bytes;
	size_t size;
};

static void clear(const struct piece *piece, uint64_t start, uint64_t end)
{
	uint64_t last = piece->address + piece->size;

	if (start < piece->address)
		start = piece->address;
	if (end > last)
		end = last;
	if (start < end)
		memset(piece->bytes + (start - piece->address), 0,
		       (size_t)(end - start));
}

static void clear_object(const struct piece *piece, const void *object,
			 size_t size)
{
	clear(piece, (uintptr_t)object, (uintptr_t)object + size);
}

/* --- static data -----------------------------------------------------------
 */

/* A list that leads out of static data is followed by nobody here. */
static bool is_static(const void *object, size_t size)
{
	uint64_t start = (uintptr_t)object;

	return start >= kma_root.data_base && start < kma_root.data_end &&
	       size <= kma_root.data_end - start;
}

/* What of the object lies in the piece is there again: this is its process, or
 * a copy of it. */
static void put_back(const struct piece *piece, const void *object, size_t size)
{
	uint64_t start = (uintptr_t)object, from = start, upto = start + size;

	if (!is_static(object, size))
		return;
	if (from < piece->address)
		from = piece->address;
	if (upto > piece->address + piece->size)
		upto = piece->address + piece->size;
	if (from < upto)
		memcpy(piece->bytes + (from - piece->address),
		       (const char *)object + (from - start),
		       (size_t)(upto - from));
}

/* The library's own come first in the list of all. */
static void keep_arenas(const struct piece *piece)
{
	const struct kma_vmem *arena = kma_root.arenas;

	for (size_t i = 0; i < ARENAS_MAX && is_static(arena, sizeof(*arena));
	     i++, arena = arena->next)
		put_back(piece, arena, sizeof(*arena));
}

static void keep_what_is_read(const struct piece *piece)
{
	const struct kma_cache *cache = kma_root.caches;
	const struct kma_log *log = kma_root.logs;

	put_back(piece, &kma_root, sizeof(kma_root));
	put_back(piece, kma_schema, kma_schema_count * sizeof(kma_schema[0]));
	put_back(piece, kma_root.depot, sizeof(*kma_root.depot));
	put_back(piece, kma_root.foreign, sizeof(*kma_root.foreign));
	put_back(piece, kma_root.meta_caches,
		 kma_root.meta_cache_count * sizeof(kma_root.meta_caches[0]));
	keep_arenas(piece);
	for (size_t i = 0;
	     i < KMA_CACHES_MAX && is_static(cache, sizeof(*cache));
	     i++, cache = cache->next)
		put_back(piece, cache, sizeof(*cache));
	for (size_t i = 0; i < LOGS_MAX && is_static(log, sizeof(*log));
	     i++, log = log->next)
		put_back(piece, log, sizeof(*log));
}

static void clear_static(const struct piece *piece)
{
	clear(piece, kma_root.data_base, kma_root.data_end);
	keep_what_is_read(piece);
}

/* --- quotes ----------------------------------------------------------------
 */

static void clear_quotes(const struct piece *piece)
{
	const struct kma_errors *errors = &kma_root.errors;
	const struct kma_log *log = kma_root.logs;

	clear_object(piece, errors->ring, sizeof(errors->ring));
	for (size_t i = 0; i < KMA_ERROR_RECORDS; i++) {
		const struct kma_error *record = &errors->record[i];

		clear_object(piece, record->message, sizeof(record->message));
		clear_object(piece, &record->expected,
			     sizeof(record->expected));
		clear_object(piece, &record->found, sizeof(record->found));
	}
	for (size_t i = 0; i < LOGS_MAX && is_static(log, sizeof(*log));
	     i++, log = log->next)
		if (log->kind == KMA_LOG_CONTENTS)
			clear_object(piece, log->base,
				     log->chunk_size * log->chunk_count);
}

void dump_meta_strip(uint64_t address, void *bytes, size_t size)
{
	const struct piece piece = { address, bytes, size };

	if (address < kma_root.data_end && address + size > kma_root.data_base)
		clear_static(&piece);
	clear_quotes(&piece);
}
