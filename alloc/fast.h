/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast path of tier off, in line in malloc, free, new and delete: one
 * round from or into the thread's loaded magazine. Whatever is not that common
 * case goes to allocate.c.
 *
 * busy is set around it with plain stores: the only one who could come between
 * is a signal handler of this thread, and it looks.
 */
#ifndef ALLOC_FAST_H
#define ALLOC_FAST_H

#include "alloc/cache.h"
#include "alloc/sample.h"
#include "alloc/thread.h"

static inline bool fast_enter(struct kma_thread *self)
{
	if (__builtin_expect(!self || self->busy, 0))
		return false;
	self->busy = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return true;
}

static inline void fast_leave(struct kma_thread *self)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	self->busy = 0;
}

/* NULL: go the slow way. */
static inline void *kma_fast_allocate(size_t size)
{
	struct kma_thread *self = kma_self;

	if (__builtin_expect(size > KMA_CLASS_TABLE_MAX, 0) ||
	    !fast_enter(self))
		return NULL;

	unsigned class = kma_fast_table[(size + 15) / 16];
	int64_t left = self->sample_left - kma_sample_cost(size);
	struct kma_magset *set =
		&self->magsets[class * KMA_TIER_COUNT + KMA_TIER_OFF];
	struct kma_magazine *loaded = set->loaded;
	void *p = NULL;

	if (__builtin_expect(loaded && loaded->rounds && left >= 0, 1)) {
		self->sample_left = left;
		p = loaded->round[loaded->rounds - 1];
		loaded->rounds--;
		set->alloc++;
	}
	fast_leave(self);
	return p;
}

/* False: go the slow way. */
static inline bool kma_fast_release(void *p)
{
	enum { TAG_MASK = 0x1f }; /* kind and tier */
	struct kma_thread *self = kma_self;
	uint64_t word = kma_pages_lookup((uintptr_t)p);
	bool put = false;

	if (__builtin_expect((word & TAG_MASK) !=
				     (KMA_PAGE_SLAB |
				      KMA_TIER_OFF << KMA_PAGE_TIER_SHIFT),
			     0) ||
	    !fast_enter(self))
		return false;

	struct kma_magset *set =
		&self->magsets[(word >> KMA_PAGE_CACHE_SHIFT) * KMA_TIER_COUNT +
			       KMA_TIER_OFF];
	struct kma_magazine *loaded = set->loaded;

	if (__builtin_expect(loaded && loaded->rounds < loaded->capacity, 1)) {
		loaded->round[loaded->rounds] = p;
		loaded->rounds++;
		set->free++;
		put = true;
	}
	fast_leave(self);
	return put;
}

#endif
