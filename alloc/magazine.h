/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Magazines: a thread's own store of free buffers, exchanged whole with the
 * depot of the cache. Callers have entered (kma_thread_enter()) and are not
 * nested.
 */
#ifndef ALLOC_MAGAZINE_H
#define ALLOC_MAGAZINE_H

#include "alloc/cache.h"
#include "alloc/thread.h"

/* A free buffer's start; NULL when memory is exhausted. */
void *kma_magazine_take(struct kma_thread *self, struct kma_cache *cache,
			enum kma_tier tier);

/* False: no room could be made; the buffer is the caller's. */
bool kma_magazine_put(struct kma_thread *self, struct kma_cache *cache,
		      enum kma_tier tier, void *start);

/*
 * Hand all magazines of a thread that ends to the depots; then, with the
 * registry's lock held, add what it counted to the caches' counts.
 */
void kma_magazine_hand_back(struct kma_thread *thread);
void kma_magazine_settle(struct kma_thread *thread);

/*
 * For clients' caches below tier audit: an object that lies in a magazine,
 * NULL for none; and back, with what the depot has too many of, which the
 * caller destructs (client.h).
 */
void *kma_magazine_take_parked(struct kma_thread *self, struct kma_cache *cache,
			       enum kma_tier tier);
bool kma_magazine_park(struct kma_thread *self, struct kma_cache *cache,
		       enum kma_tier tier, void *start,
		       struct kma_magazine **surplus);

/* A thread's magazines of a cache to the depot; for visit.c. */
void kma_magazine_steal(struct kma_thread *thread, struct kma_cache *cache);

/* Free buffers in a thread's set. */
size_t kma_magazine_set_rounds(const struct kma_magset *set);

#endif
