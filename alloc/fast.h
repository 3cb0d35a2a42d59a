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
#include "alloc/thread.h"

/* In line wherever it is used: a call would cost a third of a malloc. */
#define KMA_FAST static inline __attribute__((always_inline))

/* A function that begins with a fast path begins a line of the processor's
 * cache: else its speed hangs on what is linked before it. */
#define KMA_ENTRY __attribute__((aligned(64)))

KMA_FAST void fast_enter(struct kma_thread *self)
{
	self->busy = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

KMA_FAST void fast_leave(struct kma_thread *self)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	self->busy = 0;
}

/* NULL: go the slow way. */
KMA_FAST void *kma_fast_allocate(size_t size)
{
	struct kma_thread *self = kma_self;

	if (__builtin_expect(!self || size > KMA_CACHED_MAX, 0) ||
	    __builtin_expect(self->busy, 0))
		return NULL;

	unsigned class = kma_fast_table[(size + 15) / 16];
	struct kma_magset *set = &self->magsets[class];

	if (__builtin_expect(kma_magset_is_sample(set), 0))
		return NULL;
	fast_enter(self);
	void *p = kma_magset_pop(set);

	fast_leave(self);
	return p;
}

/* Is that a page of a slab of tier off and of one of malloc's classes? */
KMA_FAST bool fast_serves(uint64_t word)
{
	enum {
		MASK = 0x3f, /* class, tier, kind */
		FAST = KMA_PAGE_CLASS | KMA_TIER_OFF << KMA_PAGE_TIER_SHIFT |
		       KMA_PAGE_SLAB,
	};

	return (word & MASK) == FAST;
}

/* What p holds; 0 for anything but the start of a buffer of the fast path. */
static inline size_t kma_fast_size(void *p)
{
	struct kma_buffer buffer;

	if (!fast_serves(kma_pages_lookup((uintptr_t)p)) ||
	    !kma_buffer_find((uintptr_t)p, &buffer) ||
	    buffer.start != (uintptr_t)p)
		return 0;
	return buffer.slab->stride;
}

/*
 * False: go the slow way. Of a large heap p is likely not in the processor's
 * cache, and will be handed out again soon: who gets it then need not wait.
 */
KMA_FAST bool kma_fast_release(void *p)
{
	__builtin_prefetch(p, 1);

	struct kma_thread *self = kma_self;
	uint64_t word = kma_pages_lookup((uintptr_t)p);

	if (__builtin_expect(!fast_serves(word) || !self || self->busy, 0))
		return false;
	fast_enter(self);
	bool put = kma_magset_push(&self->magsets[word >> KMA_PAGE_CACHE_SHIFT],
				   p);

	fast_leave(self);
	return put;
}

#endif
