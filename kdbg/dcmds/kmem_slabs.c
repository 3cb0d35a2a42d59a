/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::kmem_slabs - how full the slabs are: what a cache holds and does not use.
 */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/distribution.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/heap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct slabs_options {
	bool verbose;
	const char *part, *exact;
	struct distribution_options bins;
};

static const struct option slabs_options[] = {
	{ 'v', "verbose", OPTION_FLAG, offsetof(struct slabs_options, verbose),
	  NULL, "how many buffers of each partial slab are taken" },
	{ 'n', "name", OPTION_TEXT, offsetof(struct slabs_options, part),
	  "substring", "only caches with this in their name" },
	{ 'N', "exact", OPTION_TEXT, offsetof(struct slabs_options, exact),
	  "name", "only the cache of this name" },
	{ 'b', "maxbins", OPTION_NUMBER,
	  offsetof(struct slabs_options, bins.most_bins), "bins",
	  "slabs by buffers taken, in at most so many bins" },
	{ 'B', "minbinsize", OPTION_NUMBER,
	  offsetof(struct slabs_options, bins.least_bin), "buffers",
	  "the same, in bins at least so wide" },
};

static const struct column slabs_columns[] = {
	{ "Cache Name", VALUE_TEXT, .width = 24 },
	{ "Slabs", VALUE_COUNT, .width = 8 },
	{ "Partial Slabs", VALUE_COUNT, .width = 13 },
	{ "Buffers", VALUE_COUNT, .width = 9 },
	{ "Unused Buffers", VALUE_COUNT, .width = 14 },
	{ "Waste", VALUE_REAL, .width = 7 },
	{ "Unused Memory", VALUE_SIZE, .width = 13, .wide = true },
	{ "Empty Slabs", VALUE_COUNT, .width = 11, .wide = true },
	{ "Address", VALUE_ADDRESS, .wide = true },
};

static const struct column partial_columns[] = {
	{ "slab", VALUE_ADDRESS },
	{ "cache", VALUE_TEXT },
	{ "refcount", VALUE_COUNT },
	{ "buffers", VALUE_COUNT },
};

enum { CACHES, PARTIAL, BINS };

static const struct table slabs_tables[] = {
	[CACHES] = { "default", slabs_columns,
		     sizeof(slabs_columns) / sizeof(slabs_columns[0]) },
	[PARTIAL] = { "-v", partial_columns,
		      sizeof(partial_columns) / sizeof(partial_columns[0]) },
};

static bool is_partial(const struct heap_slab *slab)
{
	return slab->in_use > 0 && slab->in_use < slab->buffers;
}

struct tally {
	uint64_t slabs, partial, empty, buffers, taken, memory;
};

static void emit_cache(const struct heap_cache *cache,
		       const struct tally *tally, struct sink *out)
{
	uint64_t unused = tally->buffers - tally->taken;
	double waste = tally->buffers
			       ? 100.0 * (double)unused / (double)tally->buffers
			       : 0;

	sink_table(out, &slabs_tables[CACHES]);
	SINK_ROW(out, TEXT(cache->name), COUNT(tally->slabs),
		 COUNT(tally->partial), COUNT(tally->buffers), COUNT(unused),
		 REAL(waste), SIZE(unused * cache->bufsize),
		 COUNT(tally->empty), ADDRESS(cache->address));
}

static struct err *show_cache(struct heap *heap, size_t number,
			      const struct slabs_options *options,
			      struct sink *out)
{
	bool binned = options->bins.most_bins || options->bins.least_bin;
	struct distribution taken = { 0 };
	const struct heap_cache *caches;
	const struct heap_slab *slabs;
	struct tally tally = { 0 };
	size_t count = heap_slabs(heap, &slabs);

	heap_caches(heap, &caches);
	for (size_t i = 0; i < count; i++) {
		const struct heap_slab *slab = &slabs[i];

		if (slab->cache != number)
			continue;
		tally.slabs++;
		tally.partial += is_partial(slab);
		tally.empty += slab->in_use == 0;
		tally.buffers += slab->buffers;
		tally.taken += slab->in_use < slab->buffers ? slab->in_use
							    : slab->buffers;
		if (binned)
			distribution_add(&taken, slab->in_use);
		if (options->verbose && is_partial(slab)) {
			sink_table(out, &slabs_tables[PARTIAL]);
			SINK_ROW(out, ADDRESS(slab->address),
				 TEXT(caches[number].name), COUNT(slab->in_use),
				 COUNT(slab->buffers));
		}
	}
	emit_cache(&caches[number], &tally, out);

	struct err *err = binned && tally.slabs
				  ? distribution_emit(&taken, &options->bins,
						      caches[number].name, out)
				  : NULL;

	distribution_deinit(&taken);
	return err;
}

static bool is_wanted(const struct dcmd_call *call,
		      const struct heap_cache *cache)
{
	const struct slabs_options *options = call->options;

	if (call->has_address)
		return cache->address == call->address;
	if (options->exact)
		return strcmp(cache->name, options->exact) == 0;
	return !options->part || strstr(cache->name, options->part);
}

static struct err *kmem_slabs_run(const struct dcmd_call *call,
				  struct sink *out)
{
	const struct heap_cache *caches;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);
	size_t shown = 0;

	if (err)
		return err;
	size_t count = heap_caches(heap, &caches);
	for (size_t i = 0; i < count && !err; i++)
		if (is_wanted(call, &caches[i])) {
			err = show_cache(heap, i, call->options, out);
			shown++;
		}
	if (!err && !shown && call->has_address)
		return err_new(ERR_NOT_FOUND,
			       "%#" PRIx64
			       " is not a cache: ::kmem_cache lists them",
			       call->address);
	if (!err)
		heap_notes(heap, out);
	return err;
}

const struct dcmd dcmd_kmem_slabs = {
	.name = "kmem_slabs",
	.aliases = (const char *const[]){ "umem_slabs", NULL },
	.summary = "slabs of each cache, and what of them is unused",
	.help = "Partial slabs have some buffers taken and some not; Waste is "
		"the share of all buffers that is not. A buffer in a magazine "
		"counts as taken: its slab does not have it.\n\n"
		"-b and -B show how many slabs have how many buffers taken.",
	.example = "::kmem_slabs -n kmem_alloc_1",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "cache",
	.options = slabs_options,
	.option_count = sizeof(slabs_options) / sizeof(slabs_options[0]),
	.options_size = sizeof(struct slabs_options),
	.tables = slabs_tables,
	.table_count = 2,
	.run = kmem_slabs_run,
};
