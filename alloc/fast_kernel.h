/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast path of the kernels' calls, at tiers off and lite: one round from or
 * into the thread's loaded magazine, and at lite the buffer's word.
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

#include <string.h>

/* SLEEP or NOSLEEP, whoever's rules hold, and nothing to look at. */
KMA_FAST bool fast_flags(unsigned flags)
{
	unsigned way = flags & ~(unsigned)(KMA_PERSONALITY | KMA_ZERO);

	return (way == KMA_SLEEP) | (way == KMA_NOSLEEP);
}

/* The thread's record, where nothing is out of the ordinary; else NULL. */
KMA_FAST struct kma_thread *fast_thread(void)
{
	struct kma_thread *self = kma_self;

	if (__builtin_expect(!self, 0))
		return NULL;
	if (__builtin_expect(self->busy | self->special | kma_attention, 0))
		return NULL;
	return self;
}

/* The set at tier lite of a cache whose set at tier off is that. */
KMA_FAST struct kma_magset *fast_lite_set(const struct kma_thread *self,
					  size_t index)
{
	return &self->magsets[self->magset_caches + index];
}

KMA_FAST struct kma_slab *fast_slab(uint64_t word)
{
	return (struct kma_slab *)(uintptr_t)(word & KMA_PAGE_SLAB_MASK);
}

KMA_FAST size_t fast_index(const struct kma_slab *slab, uintptr_t offset)
{
	return ((offset >> 3) * slab->reciprocal) >> 32;
}

/* The word of what came out of a magazine, which is a buffer of ours. */
KMA_FAST uint64_t *fast_word_of(const void *p)
{
	size_t page = ((uintptr_t)p - kma_reserve.heap.base) >> KMA_PAGE_SHIFT;
	struct kma_slab *slab =
		fast_slab(((const uint64_t *)kma_reserve.page_map.base)[page]);

	return &slab->words[fast_index(slab, (uintptr_t)p - slab->base -
						     slab->first)];
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

	if (__builtin_expect(
		    kma_word_state(__atomic_load_n(place, __ATOMIC_RELAXED)) ==
			    KMA_BUFFER_ALLOCATED,
		    0)) {
		kma_magset_push(set, p);
		return NULL;
	}
	__atomic_store_n(place, live, __ATOMIC_RELAXED);
	return p;
}

/*
 * False, nothing changed: p is no live buffer with that word, or there is no
 * room. The set is worked out when it is needed: as little as possible lives
 * beside what the slow path is to be called with, so that no register is saved.
 */
KMA_FAST bool fast_put_lite(const struct kma_thread *self, uint64_t page,
			    void *p, uint64_t live)
{
	struct kma_slab *slab = fast_slab(page);
	uintptr_t offset = (uintptr_t)p - slab->base - slab->first;
	size_t index = fast_index(slab, offset);

	if (__builtin_expect(index >= slab->buffers ||
				     index * slab->stride != offset,
			     0))
		return false;

	uint64_t *place = &slab->words[index];
	uint64_t word = __atomic_load_n(place, __ATOMIC_RELAXED);

	if (__builtin_expect((word & ~(uint64_t)KMA_BUFCTL_IGNORED) != live, 0))
		return false;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (!kma_magset_push(fast_lite_set(self, page >> KMA_PAGE_CACHE_SHIFT),
			     p))
		return false;
	__atomic_store_n(place, word + (KMA_BUFFER_FREE - KMA_BUFFER_ALLOCATED),
			 __ATOMIC_RELAXED);
	return true;
}

/* --- kmem_alloc ------------------------------------------------------------
 */

KMA_FAST uint64_t fast_kmem_word(size_t size)
{
	return kma_word_make(KMA_BUFFER_ALLOCATED, KMA_FAMILY_KMEM, 0, size);
}

/* NULL: go the slow way. */
KMA_FAST void *kma_fast_kmem_alloc(size_t size, unsigned flags)
{
	struct kma_thread *self = fast_thread();
	void *p;

	if (__builtin_expect(
		    !self || size > KMA_CACHED_MAX || !fast_flags(flags), 0))
		return NULL;

	unsigned entry = kma_kmem_table[(size + 7) / 8];

	fast_enter(self);
	if (__builtin_expect(entry & KMA_KMEM_LITE, 1))
		p = fast_take_lite(fast_lite_set(self, entry ^ KMA_KMEM_LITE),
				   fast_kmem_word(size));
	else
		p = kma_magset_pop(&self->magsets[entry]);
	fast_leave(self);
	if (p && flags & KMA_ZERO)
		memset(p, 0, size);
	return p;
}

/* False: go the slow way. */
KMA_FAST bool kma_fast_kmem_free(void *p, size_t size)
{
	struct kma_thread *self = fast_thread();
	uint64_t word = kma_pages_lookup((uintptr_t)p);
	enum {
		MASK = 0x3f, /* class, tier, kind */
		OFF = KMA_PAGE_CLASS | KMA_PAGE_SLAB,
		LITE = OFF | KMA_TIER_LITE << KMA_PAGE_TIER_SHIFT,
	};
	bool put = false;

	if (__builtin_expect(!self, 0))
		return false;
	fast_enter(self);
	if (__builtin_expect((word & MASK) == LITE, 1))
		put = fast_put_lite(self, word, p, fast_kmem_word(size));
	else if ((word & MASK) == OFF)
		put = kma_magset_push(
			&self->magsets[word >> KMA_PAGE_CACHE_SHIFT], p);
	fast_leave(self);
	return put;
}

/* --- caches of clients -----------------------------------------------------
 */

/* The caller has entered: has the thread a set for that cache, and does nobody
 * visit it (visit.h)? */
KMA_FAST bool fast_client_may(const struct kma_thread *self,
			      const struct kma_cache *cache)
{
	return __builtin_expect(
		(cache->index < self->magset_caches) & (kma_attention == 0), 1);
}

KMA_FAST bool fast_client_is_lite(const struct kma_cache *cache)
{
	return __builtin_expect(
		cache->fast_page & KMA_TIER_LITE << KMA_PAGE_TIER_SHIFT, 1);
}

/* An object that is constructed; NULL: go the slow way. */
KMA_FAST void *kma_fast_client_take(const struct kma_cache *cache,
				    unsigned flags)
{
	struct kma_thread *self = fast_thread();
	void *p = NULL;

	if (__builtin_expect(!self || !cache || !cache->fast_page ||
				     !fast_flags(flags) || flags & KMA_ZERO,
			     0))
		return NULL;
	fast_enter(self);
	if (!fast_client_may(self, cache))
		;
	else if (fast_client_is_lite(cache))
		p = fast_take_lite(fast_lite_set(self, cache->index),
				   cache->fast_live);
	else
		p = kma_magset_pop(&self->magsets[cache->index]);
	fast_leave(self);
	return p;
}

/* False: go the slow way. No page of ours has the word 0. */
KMA_FAST bool kma_fast_client_put(const struct kma_cache *cache, void *p)
{
	struct kma_thread *self = fast_thread();
	uint64_t word = kma_pages_lookup((uintptr_t)p);
	bool put = false;

	if (__builtin_expect(!self || !cache || !cache->fast_page ||
				     (word & ~KMA_PAGE_SLAB_MASK) !=
					     cache->fast_page,
			     0))
		return false;
	fast_enter(self);
	if (!fast_client_may(self, cache))
		;
	else if (fast_client_is_lite(cache))
		put = fast_put_lite(self, word, p, cache->fast_live);
	else
		put = kma_magset_push(&self->magsets[cache->index], p);
	fast_leave(self);
	return put;
}

#endif
