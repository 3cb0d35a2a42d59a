/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::vmem - the arenas as a tree; the walkers of arenas and segments. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/heap_vmem.h"

#include <inttypes.h>

static const struct column vmem_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "NAME", VALUE_TEXT, .width = 20 },
	{ "INUSE", VALUE_SIZE, .width = 13 },
	{ "TOTAL", VALUE_SIZE, .width = 13 },
	{ "SUCCEED", VALUE_COUNT, .width = 9 },
	{ "FAIL", VALUE_COUNT, .width = 4 },
	{ "IMPORT", VALUE_SIZE, .width = 13, .wide = true },
	{ "FREE", VALUE_COUNT, .width = 10, .wide = true },
	{ "WAIT", VALUE_COUNT, .width = 6, .wide = true },
	{ "SEGMENTS", VALUE_COUNT, .width = 9, .wide = true },
	{ "QUANTUM", VALUE_SIZE, .width = 8, .wide = true },
	{ "LIMIT", VALUE_SIZE, .width = 13, .wide = true },
	{ "SOURCE", VALUE_TEXT, .width = 20, .wide = true },
};

static const struct table vmem_tables[] = {
	{ "default", vmem_columns,
	  sizeof(vmem_columns) / sizeof(vmem_columns[0]) },
};

static void emit_arena(struct heap *heap, const struct heap_arena *arena,
		       unsigned depth, struct sink *out)
{
	const struct heap_arena *parent =
		arena->parent ? heap_arena_at(heap, arena->parent) : NULL;

	SINK_ROW(out, ADDRESS(arena->address), INDENTED(arena->name, depth),
		 SIZE(arena->in_use), SIZE(arena->total), COUNT(arena->alloc),
		 COUNT(arena->alloc_fail), SIZE(arena->imported),
		 COUNT(arena->free), COUNT(arena->waits),
		 arena->account ? ABSENT(VALUE_COUNT) : COUNT(arena->segments),
		 SIZE(arena->quantum),
		 arena->limit == UINT64_MAX ? ABSENT(VALUE_SIZE)
					    : SIZE(arena->limit),
		 TEXT(parent ? parent->name : NULL));
}

static struct err *find_arena(struct session *session, uint64_t address,
			      struct heap **heap, const struct heap_arena **ret)
{
	struct err *err = session_heap(session, heap);

	if (err)
		return err;
	*ret = heap_arena_at(*heap, address);
	if (!*ret)
		return err_new(ERR_NOT_FOUND,
			       "%#" PRIx64
			       " is not an arena: ::vmem lists them",
			       address);
	return NULL;
}

static struct err *vmem_run(const struct dcmd_call *call, struct sink *out)
{
	const struct heap_arena *arenas, *arena;
	struct heap *heap;
	struct err *err;

	if (call->has_address) {
		err = find_arena(call->session, call->address, &heap, &arena);
		if (!err)
			emit_arena(heap, arena, 0, out);
		return err;
	}
	err = session_heap(call->session, &heap);
	if (err)
		return err;
	size_t count = heap_arenas(heap, &arenas);
	for (size_t i = 0; i < count; i++)
		emit_arena(heap, &arenas[i], arenas[i].depth, out);
	heap_notes(heap, out);
	return NULL;
}

const struct dcmd dcmd_vmem = {
	.name = "vmem",
	.summary = "the arenas: what they have and what is allocated of it",
	.help = "One row for each arena, below the one it draws on: bytes "
		"allocated, bytes it has, how many allocations succeeded and "
		"failed.\n\n"
		"The allocator's own memory is a tree of arenas: reserve is "
		"the one range of addresses that all lies in, and what is in "
		"use of it is committed. heap hands out runs of pages: to "
		"kmem_default (slabs), kmem_oversize (large buffers) and "
		"kmem_va (arenas of the program). The others are what the "
		"allocator keeps for itself.",
	.example = "::vmem",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "arena",
	.tables = vmem_tables,
	.table_count = 1,
	.run = vmem_run,
};

/* --- walkers ----------------------------------------------------------------
 */

static struct err *walk_arenas(struct session *session, bool has_address,
			       uint64_t address, walk_fn *each, void *context)
{
	const struct heap_arena *arenas;
	struct heap *heap;
	struct err *err = session_heap(session, &heap);

	(void)has_address;
	(void)address;
	if (err)
		return err;
	size_t count = heap_arenas(heap, &arenas);
	for (size_t i = 0; i < count && each(context, arenas[i].address); i++)
		;
	return NULL;
}

/* Children first: an arena comes when no later one is below it. */
static struct err *walk_postfix(struct session *session, bool has_address,
				uint64_t address, walk_fn *each, void *context)
{
	const struct heap_arena *arenas;
	struct heap *heap;
	struct err *err = session_heap(session, &heap);
	size_t open[64], depth = 0;

	(void)has_address;
	(void)address;
	if (err)
		return err;
	size_t count = heap_arenas(heap, &arenas);
	for (size_t i = 0; i <= count; i++) {
		unsigned level = i < count ? arenas[i].depth : 0;

		while (depth > level || (i == count && depth))
			if (!each(context, arenas[open[--depth]].address))
				return NULL;
		if (i < count && depth < 64)
			open[depth++] = i;
	}
	return NULL;
}

struct segment_filter {
	bool alloc, free, span;
};

static bool is_wanted(const struct segment_filter *filter,
		      enum heap_segment_type type)
{
	switch (type) {
	case SEGMENT_ALLOC:
		return filter->alloc;
	case SEGMENT_FREE:
		return filter->free;
	default:
		return filter->span;
	}
}

static struct err *walk_segments(struct session *session, uint64_t address,
				 const struct segment_filter *filter,
				 walk_fn *each, void *context)
{
	struct heap_segment_walk *walk;
	const struct heap_arena *arena;
	struct heap_segment segment;
	struct heap *heap;
	struct err *err = find_arena(session, address, &heap, &arena);

	if (!err)
		err = heap_segment_open(heap, arena, &walk);
	if (err)
		return err;
	while (!session_interrupted(session) &&
	       heap_segment_next(walk, &segment))
		if (is_wanted(filter, segment.type) &&
		    !each(context, segment.address))
			break;
	heap_segment_close(walk);
	return NULL;
}

#define WALK_SEGMENTS(name, ...)                                           \
	static struct err *walk_##name(struct session *session,            \
				       bool has_address, uint64_t address, \
				       walk_fn *each, void *context)       \
	{                                                                  \
		const struct segment_filter filter = { __VA_ARGS__ };      \
		(void)has_address;                                         \
		return walk_segments(session, address, &filter, each,      \
				     context);                             \
	}

WALK_SEGMENTS(seg, true, true, true)
WALK_SEGMENTS(alloc, .alloc = true)
WALK_SEGMENTS(free, .free = true)
WALK_SEGMENTS(span, .span = true)

const struct walker walker_vmem = {
	.name = "vmem",
	.summary = "the arenas, each before those that draw on it",
	.walk = walk_arenas,
};

const struct walker walker_vmem_postfix = {
	.name = "vmem_postfix",
	.summary = "the arenas, each after those that draw on it",
	.walk = walk_postfix,
};

const struct walker walker_vmem_seg = {
	.name = "vmem_seg",
	.summary = "the tags of an arena: spans and their segments",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "arena",
	.walk = walk_seg,
};

const struct walker walker_vmem_alloc = {
	.name = "vmem_alloc",
	.summary = "the allocated segments of an arena",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "arena",
	.walk = walk_alloc,
};

const struct walker walker_vmem_free = {
	.name = "vmem_free",
	.summary = "the free segments of an arena",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "arena",
	.walk = walk_free,
};

const struct walker walker_vmem_span = {
	.name = "vmem_span",
	.summary = "the spans of an arena",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "arena",
	.walk = walk_span,
};
