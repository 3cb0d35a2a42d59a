/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast path of tier off, in line in malloc, free, new and delete: one
 * round from or into the thread's loaded magazine. Whatever is not that common
 * case goes to allocate.c and release.c.
 *
 * busy is set around it with plain stores: the only one who could come between
 * is a signal handler of this thread, and it looks.
 *
 * A processor tells a load from the stores before it by the low 12 bits of
 * their addresses first: the load of a word that lies a multiple of 4 KiB from
 * one just stored waits, in vain. What a pair of calls stores are hot, top,
 * alloc and free of a set and busy of the thread; whatever else it loads lies
 * at other bytes of its line, wherever the lines happen to be.
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

#define FAST_LOAD_BEGIN(type, field) (offsetof(type, field) % 64)
#define FAST_LOAD_END(type, field) \
	(FAST_LOAD_BEGIN(type, field) + sizeof(((type *)NULL)->field))
#define FAST_LOAD_IS_APART(type, field)                                        \
	((FAST_LOAD_BEGIN(type, field) >=                                      \
		  FAST_LOAD_END(struct kma_thread, busy) &&                    \
	  FAST_LOAD_END(type, field) <= offsetof(struct kma_magset, alloc)) || \
	 FAST_LOAD_BEGIN(type, field) >=                                       \
		 FAST_LOAD_END(struct kma_magset, free))
static_assert(offsetof(struct kma_magset, hot) == 0 &&
		      FAST_LOAD_END(struct kma_magset, top) <=
			      FAST_LOAD_END(struct kma_thread, busy),
	      "stores are at both ends of what FAST_LOAD_IS_APART() allows");
static_assert(FAST_LOAD_IS_APART(struct kma_reserve, lookup.base) &&
		      FAST_LOAD_IS_APART(struct kma_reserve,
					 lookup.committed) &&
		      FAST_LOAD_IS_APART(struct kma_reserve, lookup.words),
	      "loads of pages.h");
static_assert(FAST_LOAD_IS_APART(struct kma_slab, origin) &&
		      FAST_LOAD_IS_APART(struct kma_slab, words) &&
		      FAST_LOAD_IS_APART(struct kma_slab, reciprocal) &&
		      FAST_LOAD_IS_APART(struct kma_slab, buffers),
	      "loads of fast_kernel.h");
static_assert(FAST_LOAD_IS_APART(struct kma_cache, fast_index) &&
		      FAST_LOAD_IS_APART(struct kma_cache, fast_page) &&
		      FAST_LOAD_IS_APART(struct kma_cache, fast_live),
	      "loads of fast_kernel.h");

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

	fast_enter(self); /* a handler may count the sample, or move the sets */
	struct kma_magset *set = &self->magsets[class];
	void *p = __builtin_expect(kma_magset_is_sample(set), 0)
			  ? NULL
			  : kma_magset_pop(set);

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
