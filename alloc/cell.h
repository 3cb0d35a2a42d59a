/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An audited buffer in its cell of a slab, offset by alignment or not:
 *
 * (of a much larger cell than the request, the redzone is a part next to the
 * request and a tail at the end)
 *
 *	start-8        user             user+size            start+stride-8
 *	| canary ......| request ...... | redzone ...........| next's canary
 *
 * A plain cell is that of a class of malloc's at tier audit, its user's pointer
 * the buffer's start: the canary is one word then.
 */
#ifndef ALLOC_CELL_H
#define ALLOC_CELL_H

#include "alloc/cache.h"
#include "alloc/pattern.h"

#include <stddef.h>
#include <stdint.h>

enum {
	/* Of a buffer that goes out, at most this much is filled, from its
	 * start: a gigabyte is not written to be handed out. */
	KMA_FILL_MAX = 4096,
	/* One that comes back is filled whole up to this size, that of the
	 * largest class; of a larger one KMA_FILL_MAX, and hollow.h says what
	 * is done about the rest. */
	KMA_FILL_FREE_MAX = 128 << 10,
	/* Of a sample, which may cost a part of what the program does with all
	 * that it stands for, so much is filled, both ways. */
	KMA_FILL_SAMPLED_MAX = 1024,
	/* Of the slack behind a request, and of what alignment skipped before
	 * it, at most this much next to the request is guard. */
	KMA_GUARD_MAX = 1024,
	/* And where that leaves a hole, so much before the next buffer. */
	KMA_GUARD_TAIL = 256,
};

struct kma_cell {
	uintptr_t canary;    /* up to user */
	uintptr_t user, end; /* the request */
	uintptr_t redzone_end;
	uintptr_t tail, tail_end; /* the same: it has none */
};

static inline size_t kma_cell_filled(const struct kma_slab *slab, size_t size)
{
	size_t most;

	if (__builtin_expect(size <= KMA_FILL_SAMPLED_MAX, 1))
		return size;
	most = slab->sampled ? KMA_FILL_SAMPLED_MAX : KMA_FILL_MAX;
	return size < most ? size : most;
}

/* Of a free buffer of size bytes, what is filled and verified. */
static inline size_t kma_cell_free_filled(const struct kma_slab *slab,
					  size_t size)
{
	return size <= KMA_FILL_FREE_MAX && !slab->sampled
		       ? size
		       : kma_cell_filled(slab, size);
}

/* Do the guards read as they should? 0 if so. */
static inline uint64_t kma_cell_guards_wrong(const struct kma_cell *cell)
{
	return kma_guard_wrong(cell->end, cell->redzone_end) |
	       kma_guard_wrong(cell->canary, cell->user) |
	       kma_guard_wrong(cell->tail, cell->tail_end);
}

/* And the fill of a free buffer? */
static inline uint64_t kma_cell_fill_wrong(const struct kma_slab *slab,
					   const struct kma_cell *cell)
{
	size_t size = kma_cell_free_filled(slab, cell->end - cell->user);

	return kma_fill_wrong(cell->user, size, KMA_FILL_FREE);
}

/* --- plain ones -------------------------------------------------------------
 */

static inline uintptr_t kma_plain_redzone_end(uintptr_t start, size_t stride)
{
	return start + stride - KMA_CANARY_SIZE;
}

/* Does the redzone of that request end with its cell? */
static inline bool kma_plain_is_short(size_t stride, size_t size)
{
	return stride - KMA_CANARY_SIZE - size <= KMA_GUARD_MAX;
}

static inline uint64_t kma_plain_guards_wrong(uintptr_t start, size_t stride,
					      size_t size)
{
	return kma_guard_wrong_words(start + size,
				     kma_plain_redzone_end(start, stride)) |
	       kma_guard_word_wrong(start - KMA_CANARY_SIZE);
}

#endif
