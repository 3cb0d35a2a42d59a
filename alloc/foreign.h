/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages that clients bring for the slabs of their caches: a pool's own page
 * allocator, an arena. They lie outside of the page map, or are a buffer's
 * bytes, which the page map knows as such; so radix tables lead from their
 * addresses to the slab.
 *
 *	memory			one table for all, which a debugger reads, too
 *	KMA_NOTOUCH		a table of the cache's: what is not to be
 *				touched may be numbers, and another cache's
 *				may be the same
 *
 * Only calls that name such a cache, and reports, look here.
 */
#ifndef ALLOC_FOREIGN_H
#define ALLOC_FOREIGN_H

#include "alloc/cache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KMA_FOREIGN_LEVELS = 3, KMA_FOREIGN_BITS = 12 };

/* The slots of one level: tables, in the last level slabs. */
struct kma_foreign_table {
	void *slot[1 << KMA_FOREIGN_BITS];
};

/* That of memory; for kma_root. */
extern struct kma_foreign_table kma_foreign_memory;

/* For fork.c. */
extern struct kma_lock kma_foreign_lock;

/* Enter a slab under its pages; take it out. False: no memory. */
bool kma_foreign_enter(struct kma_slab *slab);
void kma_foreign_remove(const struct kma_slab *slab);

/* As kma_buffer_find(): for memory, and for what the cache has been brought. */
bool kma_foreign_find(uintptr_t address, struct kma_buffer *ret);
/* Wherever it is: pages that were brought may be a buffer's bytes, of which the
 * one in them is the more particular. */
static inline bool kma_buffer_find_any(uintptr_t address,
				       struct kma_buffer *ret)
{
	return kma_foreign_find(address, ret) || kma_buffer_find(address, ret);
}

bool kma_foreign_find_in(const struct kma_cache *cache, uintptr_t address,
			 struct kma_buffer *ret);

/* The slab of that page, of what the cache has been brought; NULL: none. */
struct kma_slab *kma_foreign_slab(const struct kma_cache *cache,
				  uintptr_t address);

/* Is memory that was brought in [start, end)? No lock, good in any state. */
bool kma_foreign_touches(uintptr_t start, uintptr_t end);

/* Call each slab on pages of memory that was brought, without a lock. */
void kma_foreign_each(void (*each)(struct kma_slab *slab, void *context),
		      void *context);

#endif
