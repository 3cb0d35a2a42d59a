/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between roots.c, which lists the roots, roots_stacks.c, which tells what of a
 * stack is in use, and roots_text.c, which tells of it all. */
#ifndef KDBG_ROOTS_INTERNAL_H
#define KDBG_ROOTS_INTERNAL_H

#include "kdbg/heap.h"
#include "kdbg/roots.h"

/* A range that is no root although its mapping is one. */
struct root_cut {
	uint64_t start, end;
	uint32_t tid;
	const char *reason; /* told as a gap; NULL: the allocator's, not told */
};

struct roots {
	struct target *target;
	struct heap *heap;
	struct root *list;
	size_t count;
	struct root_gap *gaps;
	size_t gap_count;
	struct root_cut *cuts;
	size_t cut_count;
	uint64_t *live; /* sorted: stack pointers, control blocks, ... */
	size_t live_count;
	struct heap_region *regions; /* sorted, disjoint */
	size_t region_count;
	size_t kind_count[ROOT_KIND_COUNT];
	uint64_t kind_bytes[ROOT_KIND_COUNT];
	uint64_t missing;
	size_t blind_threads;
};

/* False: no memory. */
bool roots_add(struct roots *roots, const struct root *root);
bool roots_add_gap(struct roots *roots, const struct root_gap *gap);
/* What of the range the target has bytes for. may_lack: what it has not is no
 * gap. */
bool roots_add_range(struct roots *roots, const struct root *range,
		     bool may_lack);
bool roots_cut(struct roots *roots, uint64_t start, uint64_t end, uint32_t tid,
	       const char *reason);

/* Cut the slabs on pages that the program brought; what of their carriers is
 * none of them is a root. */
bool roots_cut_slabs(struct roots *roots);
bool roots_add_carriers(struct roots *roots);

/* Does a live thread use this range as its stack? */
bool roots_live_in(const struct roots *roots, uint64_t start, uint64_t end);

/* Cut the unused part of live threads' stacks and the stacks of ended ones;
 * add registers, and what of a cut range is a root all the same. */
bool roots_place_threads(struct roots *roots);

#endif
