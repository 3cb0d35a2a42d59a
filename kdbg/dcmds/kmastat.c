/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::kmastat - what each cache has and uses. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/heap.h"

#include <inttypes.h>
#include <stdlib.h>

struct kmastat_options {
	bool kilo, mega, giga;
};

static const struct option kmastat_options[] = {
	{ 'k', "kilobytes", OPTION_FLAG, offsetof(struct kmastat_options, kilo),
	  NULL, "memory in units of 1024 bytes" },
	{ 'm', "megabytes", OPTION_FLAG, offsetof(struct kmastat_options, mega),
	  NULL, "memory in megabytes" },
	{ 'g', "gigabytes", OPTION_FLAG, offsetof(struct kmastat_options, giga),
	  NULL, "memory in gigabytes" },
};

static const struct column kmastat_columns[] = {
	{ "cache name", VALUE_TEXT, .width = 25 },
	{ "buf size", VALUE_COUNT, .width = 7 },
	{ "buf in use", VALUE_COUNT, .width = 8 },
	{ "buf total", VALUE_COUNT, .width = 8 },
	{ "memory in use", VALUE_SIZE, .width = 10 },
	{ "alloc succeed", VALUE_COUNT, .width = 10 },
	{ "alloc fail", VALUE_COUNT, .width = 5 },
	{ "buf cached", VALUE_COUNT, .width = 8, .wide = true },
	{ "buf audited", VALUE_COUNT, .width = 8, .wide = true },
	{ "audit memory", VALUE_SIZE, .width = 10, .wide = true },
	{ "slabs", VALUE_COUNT, .width = 8, .wide = true },
	{ "address", VALUE_ADDRESS, .wide = true },
};

static const struct table kmastat_tables[] = {
	{ "default", kmastat_columns,
	  sizeof(kmastat_columns) / sizeof(kmastat_columns[0]),
	  .folded = true },
};

struct usage {
	uint64_t slabs, memory;
	uint64_t audited;      /* buffers in slabs with bufctls */
	uint64_t audit_memory; /* their bufctls, redzones and canaries */
};

/* One for each cache, or NULL. */
static struct usage *count_slabs(struct heap *heap,
				 const struct heap_cache *caches, size_t count)
{
	struct usage *usage = calloc(count ? count : 1, sizeof(*usage));
	const struct heap_slab *slabs;
	size_t slab_count = heap_slabs(heap, &slabs);

	for (size_t i = 0; usage && i < slab_count; i++) {
		const struct heap_slab *slab = &slabs[i];
		const struct heap_cache *cache = &caches[slab->cache];
		struct usage *of = &usage[slab->cache];
		struct heap_bufctl_layout bufctl;

		of->slabs++;
		of->memory += slab->size;
		if (!slab->bufctls ||
		    !heap_bufctl_layout(heap, cache->instance, &bufctl))
			continue;
		of->audited += slab->buffers;
		of->audit_memory += (uint64_t)slab->buffers * bufctl.stride;
		if (!slab->large && slab->stride > cache->bufsize)
			of->audit_memory +=
				slab->buffers * (slab->stride - cache->bufsize);
	}
	return usage;
}

static void emit_totals(struct sink *out, const struct heap_instance *instance,
			uint64_t memory, uint64_t alloc, uint64_t fail)
{
	static const char unit[] = " KMG";
	char total[64], size[32];

	snprintf(total, sizeof(total), "Total [%s]", instance->name);
	if (out->scale)
		snprintf(size, sizeof(size), "%" PRIu64 "%c",
			 memory >> out->scale, unit[out->scale / 10]);
	else
		snprintf(size, sizeof(size), "%" PRIu64, memory);
	sink_note(out, "%-25s %7s %8s %8s %10s %10" PRIu64 " %5" PRIu64, total,
		  "", "", "", size, alloc, fail);
}

static void emit_instance(struct heap *heap, size_t instance,
			  const struct usage *usage, struct sink *out)
{
	const struct heap_instance *instances;
	const struct heap_cache *caches;
	size_t count = heap_caches(heap, &caches);
	uint64_t memory = 0, alloc = 0, fail = 0;

	heap_instances(heap, &instances);
	for (size_t i = 0; i < count; i++) {
		const struct heap_cache *cache = &caches[i];

		if (cache->instance != instance)
			continue;
		SINK_ROW(out, TEXT(cache->name), COUNT(cache->bufsize),
			 COUNT(cache->buf_in_use), COUNT(cache->buf_total),
			 SIZE(usage[i].memory), COUNT(cache->alloc),
			 COUNT(cache->alloc_fail), COUNT(cache->buf_cached),
			 COUNT(usage[i].audited), SIZE(usage[i].audit_memory),
			 COUNT(usage[i].slabs), ADDRESS(cache->address));
		memory += usage[i].memory;
		alloc += cache->alloc;
		fail += cache->alloc_fail;
	}
	sink_line(out, "------------------------- ------- -------- "
		       "-------- ---------- ---------- -----");
	emit_totals(out, &instances[instance], memory, alloc, fail);
}

static struct err *kmastat_run(const struct dcmd_call *call, struct sink *out)
{
	const struct kmastat_options *options = call->options;
	const struct heap_instance *instances;
	const struct heap_cache *caches;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	size_t count = heap_caches(heap, &caches);
	struct usage *usage = count_slabs(heap, caches, count);
	if (!usage)
		return err_new(ERR_NO_MEMORY, "kmastat");
	out->scale = options->giga   ? 30
		     : options->mega ? 20
		     : options->kilo ? 10
				     : 0;
	for (size_t i = 0; i < heap_instances(heap, &instances); i++)
		emit_instance(heap, i, usage, out);
	free(usage);
	heap_notes(heap, out);
	return NULL;
}

const struct dcmd dcmd_kmastat = {
	.name = "kmastat",
	.aliases = (const char *const[]){ "umastat", NULL },
	.summary = "statistics of the allocator's caches",
	.help = "One row for each cache: the size of its buffers, how many the "
		"program has, how many there are, the memory of its slabs, and "
		"how many allocations succeeded and failed since the start. "
		"Buffers in magazines and quarantine are not in use.\n\n"
		"Further columns, where the output is wide and with -j: "
		"buffers "
		"in magazines, buffers in audited slabs, what auditing them "
		"costs (bufctls, redzones, canaries), and slabs.",
	.example = "::kmastat -k",
	.options = kmastat_options,
	.option_count = sizeof(kmastat_options) / sizeof(kmastat_options[0]),
	.options_size = sizeof(struct kmastat_options),
	.tables = kmastat_tables,
	.table_count = 1,
	.run = kmastat_run,
};
