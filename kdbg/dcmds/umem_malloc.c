/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::umem_malloc_dist, ::umem_malloc_info - what sizes the program asked for,
 * and what they cost. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/distribution.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/heap.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct option malloc_options[] = {
	{ 'd', "raw", OPTION_FLAG, offsetof(struct distribution_options, raw),
	  NULL, "each size by itself, without bins" },
	{ 'g', "geometric", OPTION_FLAG,
	  offsetof(struct distribution_options, geometric), NULL,
	  "bins from one power of two to the next" },
	{ 'b', "maxbins", OPTION_NUMBER,
	  offsetof(struct distribution_options, most_bins), "bins",
	  "at most so many bins of one width" },
	{ 'B', "minbinsize", OPTION_NUMBER,
	  offsetof(struct distribution_options, least_bin), "bytes",
	  "bins at least so wide" },
};

static const struct column info_columns[] = {
	{ "CACHE", VALUE_TEXT, .width = 17 },
	{ "BUFSZ", VALUE_COUNT, .width = 6 },
	{ "MAXMAL", VALUE_COUNT, .width = 8 },
	{ "BUFMALLC", VALUE_COUNT, .width = 8 },
	{ "AVG_MAL", VALUE_COUNT, .width = 7 },
	{ "MALLOCED", VALUE_SIZE, .width = 10 },
	{ "OVERHEAD", VALUE_SIZE, .width = 10 },
	{ "%OVER", VALUE_REAL, .width = 7 },
	{ "ADDRESS", VALUE_ADDRESS, .wide = true },
};

enum { INFO, DIST };

static const struct table malloc_tables[] = {
	[INFO] = { "default", info_columns,
		   sizeof(info_columns) / sizeof(info_columns[0]) },
	[DIST] = { "a cache's", distribution_columns, DISTRIBUTION_COLUMNS,
		   .no_header = true },
};

/* What a cache's live buffers add up to. */
struct malloced {
	uint64_t count, bytes, largest;
	uint64_t cost; /* their share of slabs and bufctls */
};

/* Bytes of the slab and its bufctls for each of its buffers. */
static uint64_t cost_of_buffer(struct heap *heap, const struct heap_slab *slab,
			       size_t instance)
{
	struct heap_bufctl_layout bufctl;
	uint64_t cost = slab->size / slab->buffers;

	if (slab->bufctls && heap_bufctl_layout(heap, instance, &bufctl))
		cost += bufctl.stride;
	return cost + (slab->words ? sizeof(uint64_t) : 0);
}

static void add_slab(struct heap *heap, size_t number,
		     const struct heap_slab *slab, size_t instance,
		     struct malloced *sum, struct distribution *sizes)
{
	uint64_t cost = cost_of_buffer(heap, slab, instance);
	struct heap_buffer buffer;

	for (uint32_t i = 0; i < slab->buffers; i++) {
		if (!heap_buffer_get(heap, number, i, &buffer))
			return;
		if (!heap_buffer_live(&buffer))
			continue;
		if (sizes)
			distribution_add(sizes, buffer.size);
		sum->count++;
		sum->bytes += buffer.size;
		sum->cost += cost;
		if (buffer.size > sum->largest)
			sum->largest = buffer.size;
	}
}

/* Live buffers of one cache, or of all (SIZE_MAX). */
static struct malloced gather(const struct dcmd_call *call, struct heap *heap,
			      size_t cache, struct distribution *sizes)
{
	const struct heap_cache *caches;
	const struct heap_slab *slabs;
	size_t count = heap_slabs(heap, &slabs);
	struct malloced sum = { 0 };

	heap_caches(heap, &caches);
	for (size_t i = 0; i < count && !session_interrupted(call->session);
	     i++)
		if (cache == SIZE_MAX || slabs[i].cache == cache)
			add_slab(heap, i, &slabs[i],
				 caches[slabs[i].cache].instance, &sum, sizes);
	return sum;
}

static struct err *show_sizes(const struct dcmd_call *call, struct heap *heap,
			      size_t cache, const char *name, struct sink *out)
{
	struct distribution sizes = { 0 };
	struct malloced sum = gather(call, heap, cache, &sizes);
	struct err *err =
		sum.count ? distribution_emit(&sizes, call->options, name, out)
			  : NULL;

	distribution_deinit(&sizes);
	heap_notes(heap, out);
	return err;
}

static struct err *malloc_dist_run(const struct dcmd_call *call,
				   struct sink *out)
{
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	return err ? err : show_sizes(call, heap, SIZE_MAX, NULL, out);
}

static void emit_info(const struct heap_cache *cache,
		      const struct malloced *sum, struct sink *out)
{
	uint64_t overhead = sum->cost > sum->bytes ? sum->cost - sum->bytes : 0;

	SINK_ROW(out, TEXT(cache->name),
		 cache->bufsize ? COUNT(cache->bufsize) : ABSENT(VALUE_COUNT),
		 COUNT(sum->largest), COUNT(sum->count),
		 COUNT(sum->bytes / sum->count), SIZE(sum->bytes),
		 SIZE(overhead),
		 sum->bytes
			 ? REAL(100.0 * (double)overhead / (double)sum->bytes)
			 : ABSENT(VALUE_REAL),
		 ADDRESS(cache->address));
}

/* All caches in one pass over the slabs. */
static void show_info(const struct dcmd_call *call, struct heap *heap,
		      struct malloced *sums, struct sink *out)
{
	const struct heap_cache *caches;
	const struct heap_slab *slabs;
	size_t count = heap_slabs(heap, &slabs);
	size_t cache_count = heap_caches(heap, &caches);

	for (size_t i = 0; i < count && !session_interrupted(call->session);
	     i++)
		add_slab(heap, i, &slabs[i], caches[slabs[i].cache].instance,
			 &sums[slabs[i].cache], NULL);
	for (size_t i = 0; i < cache_count; i++)
		if (sums[i].count)
			emit_info(&caches[i], &sums[i], out);
	heap_notes(heap, out);
}

static struct err *malloc_info_run(const struct dcmd_call *call,
				   struct sink *out)
{
	const struct heap_cache *caches, *cache;
	struct malloced *sums;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	size_t count = heap_caches(heap, &caches);
	if (call->has_address) {
		cache = heap_cache_at(heap, call->address);
		if (!cache)
			return err_new(ERR_NOT_FOUND,
				       "%#" PRIx64 " is not a cache: "
				       "::kmem_cache lists them",
				       call->address);
		return show_sizes(call, heap, (size_t)(cache - caches),
				  cache->name, out);
	}
	sums = calloc(count + 1, sizeof(sums[0]));
	if (!sums)
		return err_new(ERR_NO_MEMORY, "umem_malloc_info");
	show_info(call, heap, sums, out);
	free(sums);
	return NULL;
}

const struct dcmd dcmd_umem_malloc_dist = {
	.name = "umem_malloc_dist",
	.aliases = (const char *const[]){ "malloc_dist", NULL },
	.summary = "how many buffers of which sizes the program has",
	.help = "The sizes are those asked for; at tier off that is not kept, "
		"and a buffer counts with all its bytes. Bins are of one "
		"width unless -g or -d says otherwise.",
	.example = "::umem_malloc_dist -g",
	.options = malloc_options,
	.option_count = sizeof(malloc_options) / sizeof(malloc_options[0]),
	.options_size = sizeof(struct distribution_options),
	.tables = &malloc_tables[DIST],
	.table_count = 1,
	.run = malloc_dist_run,
};

const struct dcmd dcmd_umem_malloc_info = {
	.name = "umem_malloc_info",
	.aliases = (const char *const[]){ "malloc_info", NULL },
	.summary = "what the program asked for in each cache, and the overhead",
	.help = "BUFMALLC buffers are with the program, for which it asked "
		"MALLOCED bytes, AVG_MAL each, MAXMAL at most. OVERHEAD is "
		"what their share of the slabs and of the audit records takes "
		"beyond that: rounding to the cache's size, redzones, slack of "
		"slabs. With a cache's address, its sizes as "
		"::umem_malloc_dist shows them.",
	.example = "::umem_malloc_info",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "cache",
	.options = malloc_options,
	.option_count = sizeof(malloc_options) / sizeof(malloc_options[0]),
	.options_size = sizeof(struct distribution_options),
	.tables = malloc_tables,
	.table_count = 2,
	.run = malloc_info_run,
};
