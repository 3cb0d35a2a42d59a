/* SPDX-License-Identifier: BSD-2-Clause */
/* What a cache's buffers are up to, the counts of all threads added up. */
#ifndef ALLOC_USAGE_H
#define ALLOC_USAGE_H

#include "alloc/cache.h"

struct kma_usage {
	uint64_t total;  /* buffers in all slabs */
	uint64_t in_use; /* with the program */
	uint64_t pages;
	uint64_t alloc, free, alloc_fail;
};

/* The registry's lock (kma_thread_lock) is held: no thread's counts move to the
 * cache's meanwhile. Takes the cache's. */
struct kma_usage kma_usage_of(struct kma_cache *cache);

#endif
