/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The list of roots: every mapping that is or was writable, less what is cut
 * out of it.
 *
 *	mapping	 |--------------------------------------------|
 *	cuts	       |xxxxxxx|		   |xxx|
 *	extents	 |------------------------|  |----------------|
 *	roots	 |-----|       |----------|  |-----|   |------|
 *	missing				  |--|
 *
 * Cut is what holds no pointers of the program by right: the allocator's
 * reserve and its library's data, and what roots_stacks.c tells of stacks.
 * What of the rest the target has no bytes for is missing, and told: a scan
 * that did not see all roots must not claim that it did.
 *
 * What is read-only now and anonymous was written before: constants of a
 * runtime, code that it made. Code holds pointers as operands of its
 * instructions, which start at any byte.
 *
 * RELRO is read-only by the time anyone looks, but was written to by the
 * program's start: it is the read-only mapping of a file right below a
 * writable one of the same file. Where its bytes are not in the target they
 * were never private, and nothing is missing.
 */
#include "kdbg/roots.h"

#include "kdbg/heap.h"
#include "kdbg/roots_internal.h"
#include "kdbg/target.h"
#include "kdbg/vector.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool roots_add(struct roots *roots, const struct root *root)
{
	struct root *grown =
		vector_grow(roots->list, roots->count, sizeof(*grown));

	if (!grown)
		return false;
	roots->list = grown;
	grown[roots->count++] = *root;
	roots->kind_count[root->kind]++;
	roots->kind_bytes[root->kind] +=
		root->words ? root->words_size : root->end - root->start;
	return true;
}

bool roots_add_gap(struct roots *roots, const struct root_gap *gap)
{
	struct root_gap *grown =
		vector_grow(roots->gaps, roots->gap_count, sizeof(*grown));

	if (!grown)
		return false;
	roots->gaps = grown;
	grown[roots->gap_count++] = *gap;
	if (gap->missing)
		roots->missing += gap->end - gap->start;
	return true;
}

static bool roots_add_cut(struct roots *roots, const struct root_cut *cut)
{
	struct root_cut *grown =
		vector_grow(roots->cuts, roots->cut_count, sizeof(*grown));

	if (!grown)
		return false;
	roots->cuts = grown;
	grown[roots->cut_count++] = *cut;
	return true;
}

bool roots_cut(struct roots *roots, uint64_t start, uint64_t end, uint32_t tid,
	       const char *reason)
{
	if (start >= end)
		return true;
	if (!roots_add_cut(roots,
			   &(struct root_cut){ start, end, tid, reason }))
		return false;
	if (!reason)
		return true;
	return roots_add_gap(roots, &(struct root_gap){ .start = start,
							.end = end,
							.tid = tid,
							.reason = reason });
}

void roots_add_missing(struct roots *roots, uint64_t start, uint64_t end,
		       const char *reason)
{
	roots_add_gap(roots, &(struct root_gap){ .missing = true,
						 .start = start,
						 .end = end,
						 .reason = reason });
}

static bool cut_allocator(struct roots *roots)
{
	const struct heap_instance *instances;
	size_t count =
		roots->heap ? heap_instances(roots->heap, &instances) : 0;

	for (size_t i = 0; i < count; i++) {
		if (!roots_cut(roots, instances[i].reserve_base,
			       instances[i].reserve_end, 0, NULL) ||
		    !roots_cut(roots, instances[i].data_base,
			       instances[i].data_end, 0, NULL) ||
		    !roots_cut(roots, instances[i].roster_base,
			       instances[i].roster_end, 0, NULL))
			return false;
	}
	return true;
}

static int compare_cuts(const void *a, const void *b)
{
	const struct root_cut *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Is maps[i] RELRO? */
static bool is_relro(const struct target *target, size_t i)
{
	const struct dump_map *map = &target->maps[i], *next = map + 1;

	return i + 1 < target->map_count && map->path[0] == '/' &&
	       !(map->flags &
		 (DUMP_MAP_WRITE | DUMP_MAP_SHARED | DUMP_MAP_EXEC)) &&
	       next->start == map->end && next->flags & DUMP_MAP_WRITE &&
	       strcmp(next->path, map->path) == 0;
}

static bool is_anonymous(const struct dump_map *map)
{
	return map->path[0] != '/' && strncmp(map->path, "[v", 2) != 0 &&
	       !(map->flags & DUMP_MAP_SHARED);
}

/* Does the target lack of this mapping what its process never touched, and
 * nothing else? A page that it has not touched holds no pointer of its. A core
 * leaves out shared mappings and files as a whole. */
static bool lacks_untouched(const struct target *target,
			    const struct dump_map *map)
{
	const struct dump_process *process = target->process;

	if (!process || process->level != DUMP_FULL ||
	    (!(map->flags & DUMP_MAP_SHARED) && map->path[0] != '/'))
		return false;
	return process->reason == DUMP_REASON_SNAPSHOT ||
	       (process->writer && strncmp(process->writer, "libkma", 6) == 0);
}

/* Can it hold what the program has written? *may_lack: what the target has no
 * bytes of, it has not written. */
static bool is_written(const struct target *target, size_t i, bool *may_lack)
{
	const struct dump_map *map = &target->maps[i];

	*may_lack =
		!(map->flags & DUMP_MAP_WRITE) || lacks_untouched(target, map);
	if (map->flags & DUMP_MAP_WRITE || is_relro(target, i))
		return true;
	return is_anonymous(map) &&
	       map->flags & (DUMP_MAP_READ | DUMP_MAP_EXEC);
}

static bool is_made_code(const struct dump_map *map)
{
	return map->flags & DUMP_MAP_EXEC &&
	       (map->flags & DUMP_MAP_WRITE || is_anonymous(map));
}

static enum root_kind map_kind(const struct roots *roots,
			       const struct dump_map *map)
{
	bool file = map->path[0] == '/';

	if (!file && roots_live_in(roots, map->start, map->end))
		return ROOT_STACK;
	return target_module_at(roots->target, map->start) ? ROOT_DATA
							   : ROOT_OTHER;
}

static int compare_regions(const void *a, const void *b)
{
	const struct heap_region *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* What the program told of, 8-aligned, sorted, joined where it overlaps. */
static bool read_regions(struct roots *roots)
{
	const struct heap_region *regions = NULL;
	size_t count = roots->heap ? heap_regions(roots->heap, &regions) : 0;
	size_t joined = 0;

	roots->regions = calloc(count + 1, sizeof(*roots->regions));
	if (!roots->regions)
		return false;
	for (size_t i = 0; i < count; i++)
		roots->regions[i] = (struct heap_region){
			(regions[i].start + 7) & ~(uint64_t)7,
			regions[i].end & ~(uint64_t)7,
		};
	if (count)
		qsort(roots->regions, count, sizeof(*roots->regions),
		      compare_regions);
	for (size_t i = 0; i < count; i++) {
		struct heap_region *next = &roots->regions[i], *last;

		if (next->start >= next->end)
			continue;
		last = joined ? &roots->regions[joined - 1] : NULL;
		if (!last || next->start > last->end)
			roots->regions[joined++] = *next;
		else if (next->end > last->end)
			last->end = next->end;
	}
	roots->region_count = joined;
	return true;
}

/* What the program told of is not cut. */
static bool spare_regions(struct roots *roots)
{
	size_t count = roots->cut_count;

	for (size_t i = 0; i < count; i++) {
		struct root_cut cut = roots->cuts[i];

		for (size_t r = 0; r < roots->region_count; r++) {
			const struct heap_region *region = &roots->regions[r];
			struct root_cut rest = cut;

			if (region->end <= cut.start ||
			    region->start >= cut.end)
				continue;
			rest.end = region->start;
			if (rest.start < rest.end &&
			    !roots_add_cut(roots, &rest))
				return false;
			cut.start = region->end;
		}
		if (cut.start > cut.end)
			cut.start = cut.end;
		roots->cuts[i] = cut;
	}
	return true;
}

bool roots_add_range(struct roots *roots, const struct root *range,
		     bool may_lack)
{
	const struct target *target = roots->target;
	uint64_t at = range->start;
	size_t low = 0, high = target->extent_count;

	while (low < high) { /* the first extent that ends after at */
		size_t middle = low + (high - low) / 2;

		if (target->extents[middle].end <= at)
			low = middle + 1;
		else
			high = middle;
	}
	for (; at < range->end; low++) {
		bool there = low < target->extent_count &&
			     target->extents[low].start < range->end;
		uint64_t start =
			there ? target->extents[low].start : range->end;
		struct root root = *range;

		if (start > at && !may_lack)
			roots_add_missing(roots, at, start,
					  "not in the target");
		if (!there)
			break;
		root.start = start > at ? start : at;
		root.end = target->extents[low].end < range->end
				   ? target->extents[low].end
				   : range->end;
		at = root.end;
		if (!roots_add(roots, &root))
			return false;
	}
	return true;
}

/* One mapping, less the cuts; *cut is the first that may touch it. */
static bool add_mapping(struct roots *roots, const struct dump_map *map,
			bool may_lack, size_t *cut)
{
	struct root root = { .kind = map_kind(roots, map),
			     .path = map->path,
			     .unaligned = is_made_code(map) };
	uint64_t at = map->start;

	while (*cut < roots->cut_count && roots->cuts[*cut].end <= at)
		++*cut;
	for (size_t i = *cut; at < map->end; i++) {
		bool last = i >= roots->cut_count ||
			    roots->cuts[i].start >= map->end;

		root.start = at;
		root.end = last ? map->end : roots->cuts[i].start;
		if (root.start < root.end &&
		    !roots_add_range(roots, &root, may_lack))
			return false;
		if (last)
			break;
		if (roots->cuts[i].end > at)
			at = roots->cuts[i].end;
	}
	return true;
}

/* A mapping that is no root but for what the program told of. */
static bool add_regions_of(struct roots *roots, const struct dump_map *map)
{
	for (size_t i = 0; i < roots->region_count; i++) {
		struct root root = { .kind = ROOT_OTHER, .path = map->path };

		root.start = roots->regions[i].start;
		root.end = roots->regions[i].end;
		if (root.start < map->start)
			root.start = map->start;
		if (root.end > map->end)
			root.end = map->end;
		if (root.start < root.end &&
		    !roots_add_range(roots, &root, true))
			return false;
	}
	return true;
}

static bool add_mappings(struct roots *roots)
{
	const struct target *target = roots->target;
	size_t cut = 0;

	if (!read_regions(roots) || !spare_regions(roots))
		return false;
	if (roots->cut_count)
		qsort(roots->cuts, roots->cut_count, sizeof(*roots->cuts),
		      compare_cuts);
	for (size_t i = 0; i < target->map_count; i++) {
		const struct dump_map *map = &target->maps[i];
		bool may_lack;

		if (is_written(target, i, &may_lack)
			    ? !add_mapping(roots, map, may_lack, &cut)
			    : !add_regions_of(roots, map))
			return false;
	}
	return true;
}

static int compare_roots(const void *a, const void *b)
{
	const struct root *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

static void sort_roots(struct roots *roots)
{
	if (roots->count)
		qsort(roots->list, roots->count, sizeof(*roots->list),
		      compare_roots);
}

bool roots_add_ignored(struct roots *roots, const uint64_t *addresses,
		       size_t count)
{
	if (count &&
	    !roots_add(roots, &(struct root){
				      .kind = ROOT_IGNORED,
				      .path = "",
				      .words = addresses,
				      .words_size = count * sizeof(*addresses),
			      }))
		return false;
	sort_roots(roots);
	return true;
}

struct err *roots_create(struct target *target, struct heap *heap,
			 struct roots **ret)
{
	struct roots *roots = calloc(1, sizeof(*roots));

	if (!roots)
		return err_new(ERR_NO_MEMORY, "no memory for the roots");
	roots->target = target;
	roots->heap = heap;
	if (!cut_allocator(roots) || !roots_cut_slabs(roots) ||
	    !roots_place_threads(roots) || !add_mappings(roots) ||
	    !roots_add_carriers(roots)) {
		roots_destroy(roots);
		return err_new(ERR_NO_MEMORY, "no memory for the roots");
	}
	sort_roots(roots);
	*ret = roots;
	return NULL;
}

void roots_destroy(struct roots *roots)
{
	if (!roots)
		return;
	free(roots->list);
	free(roots->gaps);
	free(roots->cuts);
	free(roots->live);
	free(roots->regions);
	free(roots);
}

size_t roots_list(const struct roots *roots, const struct root **ret)
{
	*ret = roots->list;
	return roots->count;
}

size_t roots_gaps(const struct roots *roots, const struct root_gap **ret)
{
	*ret = roots->gaps;
	return roots->gap_count;
}

size_t roots_count(const struct roots *roots, enum root_kind kind)
{
	return roots->kind_count[kind];
}

uint64_t roots_bytes(const struct roots *roots, enum root_kind kind)
{
	return roots->kind_bytes[kind];
}

uint64_t roots_missing(const struct roots *roots)
{
	return roots->missing;
}

size_t roots_blind_threads(const struct roots *roots)
{
	return roots->blind_threads;
}
