/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Arenas: those of vmem with their segments, the allocator's own memory as
 * arenas, and the caches that serve them (quantum caches, metadata by kind).
 *
 * Arenas keep their segments as boundary tags, which a walk follows. The heap,
 * kmem_default and kmem_oversize keep theirs in the page map: there a segment's
 * "tag" is the word of its first page. Other accounts only count: none.
 */
#ifndef KDBG_HEAP_VMEM_H
#define KDBG_HEAP_VMEM_H

#include "kdbg/heap.h"

struct heap_arena {
	uint64_t address;
	size_t instance;
	const char *name;
	uint64_t parent; /* address; 0: draws on none */
	unsigned depth;  /* of parents */
	bool account;    /* others keep its segments */
	bool identifier; /* of integers that are no memory */
	uint64_t quantum, limit;
	uint64_t in_use, total, imported; /* bytes */
	uint64_t alloc, free, alloc_fail, waits;
	uint64_t segments; /* tags it says it has */
};

/* A parent comes before its children, else in the order they were made. */
size_t heap_arenas(struct heap *heap, const struct heap_arena **ret);
const struct heap_arena *heap_arena_at(struct heap *heap, uint64_t address);

enum heap_segment_type { SEGMENT_ALLOC, SEGMENT_FREE, SEGMENT_SPAN };

struct heap_segment {
	uint64_t address; /* of the tag */
	enum heap_segment_type type;
	uint64_t start, length; /* length 0 stands for nothing */
	uint64_t size;          /* allocated: as it was asked for */
	bool imported;          /* span */
	bool cached;            /* a slab of a quantum cache */
	struct heap_event alloc;
};

/* Segments of an arena, in its order. A tag that cannot be ends the walk and is
 * noted. */
struct heap_segment_walk;
struct err *heap_segment_open(struct heap *heap, const struct heap_arena *arena,
			      struct heap_segment_walk **ret) MUST_USE;
bool heap_segment_next(struct heap_segment_walk *walk,
		       struct heap_segment *ret);
void heap_segment_close(struct heap_segment_walk *walk);

/* The segment whose tag is there; false: none that could be. */
bool heap_segment_at(struct heap *heap, uint64_t tag, struct heap_segment *ret);

/* The allocated segment of an arena that holds address: of memory, or of
 * identifiers. Goes through all tags. */
bool heap_segment_holding(struct heap *heap, uint64_t address, bool identifier,
			  struct heap_segment *ret,
			  const struct heap_arena **arena);

/* A cache that is none of heap_caches(): it has no slabs of buffers. */
struct heap_side_cache {
	uint64_t address;
	size_t instance;
	const char *name;
	uint64_t arena;         /* of a quantum cache; 0: of metadata */
	uint64_t size;          /* of a piece; 0: they differ */
	uint64_t in_use, total; /* pieces */
	uint64_t memory;        /* bytes that they take from the arena */
	uint64_t alloc, alloc_fail;
};
size_t heap_side_caches(struct heap *heap, const struct heap_side_cache **ret);

#endif
