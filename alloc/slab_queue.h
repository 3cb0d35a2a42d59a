/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Freed slabs of one buffer that wait before their pages go, so that who still
 * uses the buffer is found out: first in, first out, by number and by bytes.
 * What is in a queue is guarded by the oversize cache's depot lock, which the
 * calls below take; slabs that leave are released without it.
 */
#ifndef ALLOC_SLAB_QUEUE_H
#define ALLOC_SLAB_QUEUE_H

#include "alloc/cache.h"

struct kma_slab_queue {
	struct kma_slab **slab; /* a ring of size */
	size_t size, head, count;
	size_t bytes;
	size_t oversize; /* bytes of that, of kmem_oversize */
	void (*release)(struct kma_slab *slab);
};

static inline size_t kma_slab_bytes(const struct kma_slab *slab)
{
	return slab->pages << KMA_PAGE_SHIFT;
}

/* Add a slab; the oldest leave until there are at most so many bytes, or none
 * but it. */
void kma_slab_queue_put(struct kma_slab_queue *queue, struct kma_slab *slab,
			size_t bytes_max);

/* All leave. */
void kma_slab_queue_drain(struct kma_slab_queue *queue);

size_t kma_slab_queue_oversize(const struct kma_slab_queue *queue);

#endif
