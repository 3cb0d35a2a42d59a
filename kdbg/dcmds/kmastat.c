/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::kmastat - what each cache has and uses. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/heap_vmem.h"

#include <inttypes.h>
#include <stdlib.h>

struct kmastat_options {
	bool kilo, mega, giga;
	bool threads;
};

static const struct option kmastat_options[] = {
	{ 'k', "kilobytes", OPTION_FLAG, offsetof(struct kmastat_options, kilo),
	  NULL, "memory in units of 1024 bytes" },
	{ 'm', "megabytes", OPTION_FLAG, offsetof(struct kmastat_options, mega),
	  NULL, "memory in megabytes" },
	{ 'g', "gigabytes", OPTION_FLAG, offsetof(struct kmastat_options, giga),
	  NULL, "memory in gigabytes" },
	{ 0, "threads", OPTION_FLAG, offsetof(struct kmastat_options, threads),
	  NULL, "instead what each thread keeps for itself in magazines" },
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
	{ "overhead", VALUE_COUNT, .width = 8, .wide = true },
	{ "slabs", VALUE_COUNT, .width = 8, .wide = true },
	{ "address", VALUE_ADDRESS, .wide = true },
};

static const struct column vmem_columns[] = {
	{ "vmem name", VALUE_TEXT, .width = 25 },
	{ "memory in use", VALUE_SIZE, .width = 10 },
	{ "memory total", VALUE_SIZE, .width = 10 },
	{ "memory import", VALUE_SIZE, .width = 10 },
	{ "alloc succeed", VALUE_COUNT, .width = 10 },
	{ "alloc fail", VALUE_COUNT, .width = 5 },
	{ "vmem address", VALUE_ADDRESS, .wide = true },
};

static const struct column thread_columns[] = {
	{ "tid", VALUE_COUNT, .width = 8, .piped = true },
	{ "memory cached", VALUE_SIZE, .width = 10 },
	{ "buf cached", VALUE_COUNT, .width = 8 },
	{ "%", VALUE_REAL, .width = 6 },
	{ "caches", VALUE_COUNT, .width = 6 },
	{ "most in", VALUE_TEXT, .width = 20 },
	{ "memory there", VALUE_SIZE, .width = 10 },
};

enum { CACHES, ARENAS, THREADS };

static const struct table kmastat_tables[] = {
	[CACHES] = { "default", kmastat_columns,
		     sizeof(kmastat_columns) / sizeof(kmastat_columns[0]),
		     .folded = true },
	[ARENAS] = { "arenas", vmem_columns,
		     sizeof(vmem_columns) / sizeof(vmem_columns[0]),
		     .folded = true },
	[THREADS] = { "--threads", thread_columns,
		      sizeof(thread_columns) / sizeof(thread_columns[0]),
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

	for (size_t i = 0; usage && i < count; i++)
		if (caches[i].imported_slab) {
			usage[i].slabs =
				caches[i].slab_create - caches[i].slab_destroy;
			usage[i].memory =
				usage[i].slabs * caches[i].imported_slab;
		}
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

/* What a buffer costs of the stacks that are kept: as many bytes for each that
 * the program has in caches with audited slabs. */
static uint64_t stacks_share(struct heap *heap, size_t instance,
			     const struct usage *usage)
{
	const struct heap_cache *caches;
	size_t count = heap_caches(heap, &caches);
	struct heap_stacks stacks;
	uint64_t live = 0;

	for (size_t i = 0; i < count; i++)
		if (caches[i].instance == instance && usage[i].audited)
			live += caches[i].buf_in_use;
	if (live == 0 || !heap_stacks_kept(heap, instance, &stacks))
		return 0;
	return (stacks.bytes + live - 1) / live;
}

struct total {
	uint64_t memory, alloc, fail;
};

static void emit_total(struct sink *out, const char *name,
		       const struct total *sum)
{
	static const char unit[] = " KMG";
	char total[64], size[32];

	snprintf(total, sizeof(total), "Total [%s]", name);
	if (out->scale)
		snprintf(size, sizeof(size), "%" PRIu64 "%c",
			 sum->memory >> out->scale, unit[out->scale / 10]);
	else
		snprintf(size, sizeof(size), "%" PRIu64, sum->memory);
	sink_note(out, "%-25s %7s %8s %8s %10s %10" PRIu64 " %5" PRIu64, total,
		  "", "", "", size, sum->alloc, sum->fail);
}

static void add(struct total *sum, uint64_t memory, uint64_t alloc,
		uint64_t fail)
{
	sum->memory += memory;
	sum->alloc += alloc;
	sum->fail += fail;
}

static void emit_cache(struct sink *out, const struct heap_cache *cache,
		       const struct usage *usage, uint64_t stacks)
{
	uint64_t overhead =
		usage->audited ? (usage->audit_memory + usage->audited - 1) /
						 usage->audited +
					 stacks
			       : 0;

	SINK_ROW(out, TEXT(cache->name), COUNT(cache->bufsize),
		 COUNT(cache->buf_in_use), COUNT(cache->buf_total),
		 SIZE(usage->memory), COUNT(cache->alloc),
		 COUNT(cache->alloc_fail), COUNT(cache->buf_cached),
		 COUNT(usage->audited), SIZE(usage->audit_memory),
		 usage->audited ? COUNT(overhead) : ABSENT(VALUE_COUNT),
		 COUNT(usage->slabs), ADDRESS(cache->address));
}

/* Quantum caches and metadata have no slabs of buffers. */
static void emit_side_cache(struct sink *out,
			    const struct heap_side_cache *cache)
{
	SINK_ROW(out, TEXT(cache->name),
		 cache->size ? COUNT(cache->size) : ABSENT(VALUE_COUNT),
		 COUNT(cache->in_use), COUNT(cache->total), SIZE(cache->memory),
		 COUNT(cache->alloc), COUNT(cache->alloc_fail),
		 ABSENT(VALUE_COUNT), ABSENT(VALUE_COUNT), ABSENT(VALUE_SIZE),
		 ABSENT(VALUE_COUNT), ABSENT(VALUE_COUNT),
		 ADDRESS(cache->address));
}

/* Of metadata (arena 0), or of one arena; they add up to *sum. */
static void emit_side_caches(struct heap *heap, size_t instance, uint64_t arena,
			     struct total *sum, struct sink *out)
{
	const struct heap_side_cache *caches;
	size_t count = heap_side_caches(heap, &caches);

	for (size_t i = 0; i < count; i++) {
		if (caches[i].instance != instance || caches[i].arena != arena)
			continue;
		emit_side_cache(out, &caches[i]);
		add(sum, caches[i].memory, caches[i].alloc,
		    caches[i].alloc_fail);
	}
}

struct instance_totals {
	struct total small, large, imported, all, metadata;
};

static void emit_caches(struct heap *heap, size_t instance,
			const struct usage *usage,
			struct instance_totals *totals, struct sink *out)
{
	const struct heap_cache *caches;
	size_t count = heap_caches(heap, &caches);
	uint64_t stacks = stacks_share(heap, instance, usage);

	for (size_t i = 0; i < count; i++) {
		const struct heap_cache *cache = &caches[i];

		if (cache->instance != instance)
			continue;
		emit_cache(out, cache, &usage[i], stacks);
		add(cache->is_imported ? &totals->imported
		    : cache->bufsize   ? &totals->small
				       : &totals->large,
		    usage[i].memory, cache->alloc, cache->alloc_fail);
		add(&totals->all, usage[i].memory, cache->alloc,
		    cache->alloc_fail);
	}
}

/* What is cut from an arena by quantum caches comes below the caches. */
static void emit_quantum_caches(struct heap *heap, size_t instance,
				struct sink *out)
{
	const struct heap_arena *arenas;
	size_t count = heap_arenas(heap, &arenas);
	struct total ignored = { 0 };

	for (size_t i = 0; i < count; i++)
		if (arenas[i].instance == instance)
			emit_side_caches(heap, instance, arenas[i].address,
					 &ignored, out);
}

static void emit_arenas(struct heap *heap, size_t instance, struct sink *out)
{
	const struct heap_arena *arenas;
	size_t count = heap_arenas(heap, &arenas);

	sink_line(out, "%s", "");
	sink_table(out, &kmastat_tables[ARENAS]);
	for (size_t i = 0; i < count; i++) {
		const struct heap_arena *arena = &arenas[i];

		if (arena->instance == instance)
			SINK_ROW(out, INDENTED(arena->name, arena->depth),
				 SIZE(arena->in_use), SIZE(arena->total),
				 SIZE(arena->imported), COUNT(arena->alloc),
				 COUNT(arena->alloc_fail),
				 ADDRESS(arena->address));
	}
	sink_line(out, "------------------------- ---------- ---------- "
		       "---------- ---------- -----");
}

static void emit_instance(struct heap *heap, size_t instance,
			  const struct usage *usage, struct sink *out)
{
	const struct heap_instance *instances;
	const struct heap_arena *arenas;
	struct instance_totals totals = { 0 };

	heap_instances(heap, &instances);
	sink_table(out, &kmastat_tables[CACHES]);
	emit_caches(heap, instance, usage, &totals, out);
	emit_quantum_caches(heap, instance, out);
	emit_side_caches(heap, instance, 0, &totals.metadata, out);
	sink_line(out, "------------------------- ------- -------- "
		       "-------- ---------- ---------- -----");
	emit_total(out, instances[instance].name, &totals.all);
	if (heap_arenas(heap, &arenas) == 0)
		return; /* an older libkma */
	emit_total(out, "kmem_default", &totals.small);
	emit_total(out, "kmem_oversize", &totals.large);
	if (totals.imported.memory || totals.imported.alloc)
		emit_total(out, "imported", &totals.imported);
	emit_total(out, "kmem_metadata", &totals.metadata);
	emit_arenas(heap, instance, out);
}

/* What one thread keeps: sets of one thread follow each other. */
struct kept {
	uint64_t bytes, buffers, caches, most;
	const char *most_in;
};

static struct kept add_up(const struct heap_magset *sets, size_t count,
			  const struct heap_cache *caches)
{
	struct kept kept = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct heap_cache *cache = &caches[sets[i].cache];
		uint64_t bytes = sets[i].rounds * cache->bufsize;

		kept.bytes += bytes;
		kept.buffers += sets[i].rounds;
		kept.caches += sets[i].rounds != 0;
		if (bytes > kept.most) {
			kept.most = bytes;
			kept.most_in = cache->name;
		}
	}
	return kept;
}

static void emit_threads(struct heap *heap, struct sink *out)
{
	const struct heap_magset *sets;
	const struct heap_cache *caches;
	size_t count = heap_magsets(heap, &sets), same;

	heap_caches(heap, &caches);
	struct kept all = add_up(sets, count, caches);
	sink_table(out, &kmastat_tables[THREADS]);
	for (size_t i = 0; i < count; i += same) {
		for (same = 1; i + same < count &&
			       sets[i + same].thread == sets[i].thread;)
			same++;
		struct kept kept = add_up(sets + i, same, caches);
		double share =
			all.bytes ? 100 * (double)kept.bytes / (double)all.bytes
				  : 0;

		SINK_ROW(out, COUNT(sets[i].thread->tid), SIZE(kept.bytes),
			 COUNT(kept.buffers), REAL(share), COUNT(kept.caches),
			 TEXT(kept.most_in), SIZE(kept.most));
	}
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
	size_t instance_count = heap_instances(heap, &instances);
	if (options->threads)
		emit_threads(heap, out);
	for (size_t i = 0; i < instance_count && !options->threads; i++)
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
		"Buffers in magazines and quarantine are not in use. "
		"Quantum caches (kmem_va_N) and the allocator's metadata by "
		"kind (kmem_slab_cache, kmem_magazine_N) follow.\n\n"
		"Then one row for each arena, below the one it draws on: what "
		"is allocated of it, what it has, what of that it imported. "
		"The totals by arena are the arenas' memory in use; imported "
		"is memory that pools with an allocator of their own brought, "
		"from wherever they have it.\n\n"
		"Further columns, where the output is wide and with -j: "
		"buffers "
		"in magazines, buffers in audited slabs, what auditing them "
		"costs in all (bufctls, redzones, canaries), the same for one "
		"buffer with its share of the stacks kept (overhead), and "
		"slabs.\n\n"
		"--threads: how much memory each thread keeps free for itself, "
		"its share of all that threads keep, and the cache of which it "
		"keeps most; ::walk kmem_cpu_cache has the rest.",
	.example = "::kmastat -k",
	.options = kmastat_options,
	.option_count = sizeof(kmastat_options) / sizeof(kmastat_options[0]),
	.options_size = sizeof(struct kmastat_options),
	.tables = kmastat_tables,
	.table_count = 3,
	.run = kmastat_run,
};
