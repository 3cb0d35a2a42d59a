/* SPDX-License-Identifier: BSD-2-Clause */
/* The tier that new buffers of a cache get. */
#ifndef ALLOC_TIER_H
#define ALLOC_TIER_H

#include "alloc/cache.h"

/* By its name in the environment. */
bool kma_tier_named(const char *name, size_t size, enum kma_tier *ret);

/* From now on; buffers that exist keep theirs. */
void kma_tier_set(struct kma_cache *cache, enum kma_tier tier);

/* As the options have it: of one that is new; of all there are. */
void kma_tier_choose(struct kma_cache *cache);
void kma_tier_init(void);

#endif
