/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slabs of a cache: where buffers come from when no magazine has one, and
 * where they go when no magazine has room.
 */
#ifndef ALLOC_SLAB_H
#define ALLOC_SLAB_H

#include "alloc/cache.h"

/*
 * Take up to count buffers, from partial slabs first; returns how many. Caller
 * holds cache->lock. With grow false no slab is made and no other lock taken.
 */
unsigned kma_slab_take(struct kma_cache *cache, enum kma_tier tier,
		       void **starts, unsigned count, bool grow);

/*
 * Give a buffer back. Caller holds cache->lock. False: it was free in its slab
 * already, or is not the start of a buffer; nothing is changed then. With
 * release false no slab is destroyed and no other lock taken.
 */
bool kma_slab_put(struct kma_cache *cache, void *start, bool release);

/* Release the empty slabs kept for the next time. Caller holds cache->lock. */
void kma_slab_reap(struct kma_cache *cache);

/* One more slab, empty. Caller holds cache->lock. False: no memory. */
bool kma_slab_add(struct kma_cache *cache, enum kma_tier tier);

/*
 * A slab on pages that a client brought; NULL: no memory. Nobody holds
 * cache->lock. The way back: an empty slab taken off the lists, the caller
 * holding it, then its header destroyed.
 */
struct kma_slab *kma_slab_create_foreign(struct kma_cache *cache,
					 uintptr_t base);
void kma_slab_detach(struct kma_slab *slab);
void kma_slab_destroy_detached(struct kma_slab *slab);

/* Buffers of a slab at a tier. 0: what its client brings holds none. */
uint32_t kma_slab_buffers(const struct kma_cache *cache, enum kma_tier tier);

/* One buffer of this very slab. Caller holds cache->lock. NULL: it is full. */
void *kma_slab_take_from(struct kma_slab *slab);

/* The header of a large buffer: one that has its pages for itself. */
struct kma_slab *kma_slab_create_large(struct kma_cache *cache, uintptr_t base,
				       size_t pages, size_t first,
				       enum kma_tier tier, bool zeroed);
void kma_slab_destroy_large(struct kma_slab *slab);

#endif
