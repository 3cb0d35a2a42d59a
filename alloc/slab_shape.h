/* SPDX-License-Identifier: BSD-2-Clause */
/* How pages are cut into buffers: what all slabs of a cache and tier share, and
 * their colours, which they do not. */
#ifndef ALLOC_SLAB_SHAPE_H
#define ALLOC_SLAB_SHAPE_H

#include "alloc/cache.h"

struct kma_slab_shape {
	size_t stride, first; /* as in struct kma_slab, without a colour */
	size_t pages;
	uint32_t buffers; /* 0: the client's pages hold none */
	uint64_t reciprocal;
	bool bare; /* audited without canaries and redzones */
};

struct kma_slab_shape kma_slab_shape(const struct kma_cache *cache,
				     enum kma_tier tier);

/* How much later the next slab's first buffer begins, bytes. */
size_t kma_slab_next_colour(const struct kma_cache *cache,
			    const struct kma_slab_shape *shape);

/* Of a slab with that many buffers. */
uint64_t kma_slab_reciprocal(size_t stride, uint32_t buffers);

static inline bool kma_tier_has_bufctls(enum kma_tier tier)
{
	return tier == KMA_TIER_AUDIT || tier == KMA_TIER_GUARD;
}

#endif
