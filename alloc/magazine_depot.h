/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The depot of a cache: for each tier its full and its empty magazines, which
 * threads exchange theirs with (magazine.h). Callers have entered, are not
 * nested, and hold no lock.
 *
 * Where freed buffers are kept from reuse (audit, guard), full magazines queue
 * up first in first out, and none comes out before so many bytes are in.
 */
#ifndef ALLOC_MAGAZINE_DEPOT_H
#define ALLOC_MAGAZINE_DEPOT_H

#include "alloc/cache.h"
#include "alloc/magset.h"

/* Are freed buffers of the tier kept from reuse? */
static inline bool kma_magazine_queues(enum kma_tier tier)
{
	return tier == KMA_TIER_AUDIT || tier == KMA_TIER_GUARD;
}

/* An empty one of the size the cache wants now; NULL: no memory. */
struct kma_magazine *kma_magazine_create(const struct kma_cache *cache,
					 enum kma_tier tier);
void kma_magazine_free(struct kma_magazine *magazine);

/* Give an empty magazine (or none) and get one with rounds; NULL: there is
 * none to be had, and empty is still the caller's. */
struct kma_magazine *kma_magazine_depot_take(struct kma_cache *cache,
					     enum kma_tier tier,
					     struct kma_magazine *empty);

/* Give one with rounds (or none) and get an empty one, or NULL: no memory. */
struct kma_magazine *kma_magazine_depot_put(struct kma_cache *cache,
					    enum kma_tier tier,
					    struct kma_magazine *full);

/* The same, but NULL where the depot has no empty one; *surplus is what it then
 * has too many of, or NULL: the caller destructs its objects. */
struct kma_magazine *kma_magazine_depot_exchange(struct kma_cache *cache,
						 enum kma_tier tier,
						 struct kma_magazine *full,
						 struct kma_magazine **surplus);

/* Of a thread that ends: give one with rounds, without, or none. */
void kma_magazine_depot_return(struct kma_cache *cache, enum kma_tier tier,
			       struct kma_magazine *magazine);

/* The same of one that goes on: whatever the limit, nothing goes to slabs. */
void kma_magazine_depot_keep(struct kma_cache *cache, enum kma_tier tier,
			     struct kma_magazine *magazine);

/* A magazine of the depot, full ones first; NULL: there is none. */
struct kma_magazine *kma_magazine_pop(struct kma_cache *cache,
				      enum kma_tier tier);

/* What lay in the depots since the last time, to the slabs; what they have that
 * is empty, to the heap. Not of a cache whose client destructs. */
void kma_magazine_depot_age(struct kma_cache *cache);

/* Empty the depots of a cache into its slabs. */
void kma_magazine_drain(struct kma_cache *cache);

/* How many buffers lie in the depot. */
size_t kma_magazine_depot_rounds(struct kma_cache *cache);

#endif
