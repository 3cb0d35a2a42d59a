/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tier guard: every buffer has pages of its own and ends at one that cannot be
 * touched (guard=left: begins behind one), and where a request fills its pages
 * lies between two. A freed buffer's pages cannot be
 * touched either, as long as it is among the kmguard last ones. So a bad access
 * faults where it happens, reads too; the fault is reported as the error it is.
 */
#ifndef ALLOC_GUARD_H
#define ALLOC_GUARD_H

#include "alloc/cache.h"

/* The queue of freed buffers, before the first is freed. */
bool kma_guard_init(void);

/* False with nothing changed when memory is exhausted. */
bool kma_guard_take(struct kma_cache *cache, size_t size, size_t align,
		    struct kma_buffer *ret);
void kma_guard_put(struct kma_slab *slab);

/* Let the freed buffers go that wait; their pages can be used again. */
void kma_guard_drain(void);

/* Bytes of pages that freed buffers of kmem_oversize keep. */
size_t kma_guard_quarantined(void);

/* Where the program's part of a buffer of this tier begins. */
uintptr_t kma_guard_user(const struct kma_buffer *buffer, size_t size,
			 size_t align);

/*
 * In the handler of a fault: report it if address is in a guard, or in a buffer
 * that was freed. False: it is no concern of ours.
 */
bool kma_guard_fault(uintptr_t address, bool is_write);

#endif
