/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast path of the kernels' calls, at tiers off and lite, and of malloc at
 * lite: one round from or into the thread's loaded magazine, and at lite the
 * buffer's word.
 *
 * Who frees first is told by the word alone: ALLOCATED with the request becomes
 * FREE, by a load and a store. A compare-and-swap, which costs as much as all
 * the rest, would tell two threads apart that free the same buffer within the
 * few instructions between the two. Those leave it in two magazines; as a round
 * is only handed out when its word does not say ALLOCATED, the second that
 * comes out of them is found (kma_lite_alloc()) before two have the buffer.
 */
#ifndef ALLOC_FAST_KERNEL_H
#define ALLOC_FAST_KERNEL_H

#include "alloc/client.h"
#include "alloc/fast.h"
#include "alloc/word.h"

#include "kma/kma.h"

#include <assert.h>
#include <string.h>

/* SLEEP or NOSLEEP, whoever's rules hold, and of others none but allowed. */
KMA_FAST bool fast_flags(unsigned flags, unsigned allowed)
{
	unsigned way = flags & ~((unsigned)KMA_PERSONALITY | allowed);

	return ((way - KMA_SLEEP) & ~(unsigned)KMA_SLEEP) == 0;
}
static_assert(KMA_NOSLEEP == 2 * KMA_SLEEP, "fast_flags() counts on it");

/* Of the states of what lies in a magazine of tier lite none has that bit. */
static_assert(!((KMA_BUFFER_NEVER | KMA_BUFFER_FREE) & KMA_BUFFER_ALLOCATED),
	      "one bit tells what the program has");
static_assert(KMA_BUFCTL_STATE_SHIFT == 0, "and it is the word's lowest");

/* The thread's record, where it is not inside; else NULL. */
KMA_FAST struct kma_thread *fast_thread(void)
{
	struct kma_thread *self = kma_self;

	if (__builtin_expect(!self, 0) || __builtin_expect(self->busy, 0))
		return NULL;
	return self;
}

/* The same where nothing is out of the ordinary with any thread. */
KMA_FAST struct kma_thread *fast_quiet_thread(void)
{
	struct kma_thread *self = kma_self;

	if (__builtin_expect(!self, 0) ||
	    __builtin_expect(self->busy | kma_attention, 0))
		return NULL;
	return self;
}

/* Has the thread a set for the cache of that index, and is there nothing out of
 * the ordinary with it? */
KMA_FAST bool fast_has_set(const struct kma_thread *self, uint32_t index)
{
	return __builtin_expect(index < self->fast_caches, 1);
}

KMA_FAST struct kma_slab *fast_slab(uint64_t word)
{
	return (struct kma_slab *)(uintptr_t)(word & KMA_PAGE_SLAB_MASK);
}

/* The word of what came out of a magazine, which is a buffer's start. */
KMA_FAST uint64_t *fast_word_of(const void *p)
{
	const struct kma_slab *slab =
		fast_slab(kma_pages_lookup_known((uintptr_t)p));

	return &slab->words[kma_slab_divide(slab,
					    (uintptr_t)p - slab->origin) >>
			    64];
}

/*
 * A round of tier lite, which the program has from now on. NULL as well when it
 * has it already: the slow path, which finds it on top again, tells of it.
 */
KMA_FAST void *fast_take_lite(struct kma_magset *set, uint64_t live)
{
	void *p = kma_magset_pop(set);

	if (__builtin_expect(!p, 0))
		return NULL;

	uint64_t *place = fast_word_of(p);

	if (__builtin_expect(__atomic_load_n(place, __ATOMIC_RELAXED) &
				     KMA_BUFFER_ALLOCATED,
			     0)) {
		kma_magset_push(set, p);
		return NULL;
	}
	__atomic_store_n(place, live, __ATOMIC_RELAXED);
	return p;
}

/*
 * A live buffer of the slab with that word is free, and in the set, from now
 * on. False, nothing changed: p is none, or there is no room. The bits in any
 * are not looked at.
 */
KMA_FAST bool fast_put_lite(struct kma_magset *set, const struct kma_slab *slab,
			    void *p, uint64_t live, uint64_t any)
{
	if (__builtin_expect(!kma_magset_has_room(set), 0))
		return false;

	unsigned __int128 quotient =
		kma_slab_divide(slab, (uintptr_t)p - slab->origin);
	uint64_t index = (uint64_t)(quotient >> 64);

	if (__builtin_expect((uint64_t)quotient >= slab->reciprocal, 0) ||
	    __builtin_expect(index >= slab->buffers, 0))
		return false;

	uint64_t word = __atomic_load_n(&slab->words[index], __ATOMIC_RELAXED);

	if (__builtin_expect((word & ~any) != live, 0))
		return false;
	__atomic_store_n(&slab->words[index],
			 word + (KMA_BUFFER_FREE - KMA_BUFFER_ALLOCATED),
			 __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	kma_magset_put(set, p);
	return true;
}

/* What a page of one of malloc's classes says of itself at a tier. */
enum {
	FAST_CLASS_MASK = 0x3f, /* class, tier, kind */
	FAST_CLASS_OFF = KMA_PAGE_CLASS | KMA_PAGE_SLAB,
	FAST_CLASS_LITE = FAST_CLASS_OFF | KMA_TIER_LITE << KMA_PAGE_TIER_SHIFT,
};

/* --- kmem_alloc ------------------------------------------------------------
 */

KMA_FAST uint64_t fast_kmem_word(size_t size)
{
	return kma_word_make(KMA_BUFFER_ALLOCATED, KMA_FAMILY_KMEM, 0, size);
}

/* NULL: go the slow way. */
KMA_FAST void *kma_fast_kmem_alloc(size_t size, unsigned flags)
{
	struct kma_thread *self = fast_quiet_thread();
	void *p;

	if (__builtin_expect(!self || size > KMA_CACHED_MAX ||
				     !fast_flags(flags, KMA_ZERO),
			     0))
		return NULL;

	unsigned entry = kma_kmem_table[(size + 7) / 8];
	unsigned index = entry & ~(unsigned)KMA_KMEM_LITE;

	if (!fast_has_set(self, index))
		return NULL;
	fast_enter(self);
	p = __builtin_expect(entry != index, 1)
		    ? fast_take_lite(&self->lite_magsets[index],
				     fast_kmem_word(size))
		    : kma_magset_pop(&self->magsets[index]);
	fast_leave(self);
	if (p && flags & KMA_ZERO)
		memset(p, 0, size);
	return p;
}

/* False: go the slow way. */
KMA_FAST bool kma_fast_kmem_free(void *p, size_t size)
{
	struct kma_thread *self = fast_quiet_thread();
	uint64_t word = kma_pages_lookup((uintptr_t)p);
	size_t index = word >> KMA_PAGE_CACHE_SHIFT;
	bool put = false;

	if (__builtin_expect(!self, 0) || !fast_has_set(self, (uint32_t)index))
		return false;
	fast_enter(self);
	if (__builtin_expect((word & FAST_CLASS_MASK) == FAST_CLASS_LITE, 1))
		put = fast_put_lite(&self->lite_magsets[index], fast_slab(word),
				    p, fast_kmem_word(size), 0);
	else if ((word & FAST_CLASS_MASK) == FAST_CLASS_OFF)
		put = kma_magset_push(&self->magsets[index], p);
	fast_leave(self);
	return put;
}

/* --- malloc and new at lite -------------------------------------------------
 */

/* 16-aligned. NULL: go the slow way. */
KMA_FAST void *fast_lite_allocate(struct kma_thread *self, size_t size,
				  enum kma_family family)
{
	/* As kmem_alloc has it for the next multiple of 16. */
	unsigned entry = kma_kmem_table[(size + 15) / 16 * 2];
	unsigned index = entry & ~(unsigned)KMA_KMEM_LITE;
	void *p;

	if (entry == index || !fast_has_set(self, index))
		return NULL;
	fast_enter(self);
	p = fast_take_lite(
		&self->lite_magsets[index],
		kma_word_make(KMA_BUFFER_ALLOCATED, family, 0, size));
	fast_leave(self);
	return p;
}

/* False: go the slow way. word: the page's; the size is that of the request, or
 * SIZE_MAX. */
KMA_FAST bool fast_lite_release(struct kma_thread *self, uint64_t word, void *p,
				size_t size, enum kma_family family)
{
	size_t index = word >> KMA_PAGE_CACHE_SHIFT;
	bool is_known = size != SIZE_MAX;
	bool put;

	fast_enter(self);
	put = fast_put_lite(&self->lite_magsets[index], fast_slab(word), p,
			    kma_word_make(KMA_BUFFER_ALLOCATED, family, 0,
					  is_known ? size : 0),
			    is_known ? 0 : UINT64_MAX << KMA_BUFCTL_SIZE_SHIFT);
	fast_leave(self);
	return put;
}

/* --- caches of clients -----------------------------------------------------
 */

KMA_FAST bool fast_client_is_lite(const struct kma_cache *cache)
{
	return __builtin_expect(
		cache->fast_page & KMA_TIER_LITE << KMA_PAGE_TIER_SHIFT, 1);
}

/*
 * An object that is constructed; NULL: go the slow way. Whether the cache is
 * served is looked at inside, where a visitor (visit.h) waits for us.
 */
KMA_FAST void *kma_fast_client_take(const struct kma_cache *cache,
				    unsigned flags)
{
	struct kma_thread *self = fast_thread();
	void *p = NULL;

	if (__builtin_expect(!self || !cache || !fast_flags(flags, 0), 0))
		return NULL;
	fast_enter(self);

	uint32_t index = cache->fast_index;

	if (__builtin_expect(kma_attention == 0, 1) &&
	    fast_has_set(self, index))
		p = fast_client_is_lite(cache)
			    ? fast_take_lite(&self->lite_magsets[index],
					     cache->fast_live)
			    : kma_magset_pop(&self->magsets[index]);
	fast_leave(self);
	return p;
}

/* False: go the slow way. */
KMA_FAST bool kma_fast_client_put(const struct kma_cache *cache, void *p)
{
	struct kma_thread *self = fast_thread();
	bool put = false;

	if (__builtin_expect(!self || !cache, 0))
		return false;

	/* A slab's address, if the page is one of this cache and tier. */
	uint64_t slab = kma_pages_lookup((uintptr_t)p) ^ cache->fast_page;

	if (__builtin_expect((slab & ~KMA_PAGE_SLAB_MASK) != 0, 0))
		return false;
	fast_enter(self);

	uint32_t index = cache->fast_index;

	if (__builtin_expect(kma_attention == 0, 1) &&
	    fast_has_set(self, index))
		put = fast_client_is_lite(cache)
			      ? fast_put_lite(
					&self->lite_magsets[index],
					(const struct kma_slab *)(uintptr_t)
						slab,
					p, cache->fast_live, 0)
			      : kma_magset_push(&self->magsets[index], p);
	fast_leave(self);
	return put;
}

#endif
