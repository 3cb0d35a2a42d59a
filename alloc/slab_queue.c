/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/slab_queue.h"

static struct kma_slab *pop(struct kma_slab_queue *queue)
{
	struct kma_slab *slab = queue->slab[queue->head];

	queue->head = (queue->head + 1) % queue->size;
	queue->count--;
	queue->bytes -= kma_slab_bytes(slab);
	if (slab->cache->bufsize == 0)
		queue->oversize -= kma_slab_bytes(slab);
	return slab;
}

static void push(struct kma_slab_queue *queue, struct kma_slab *slab)
{
	queue->slab[(queue->head + queue->count) % queue->size] = slab;
	queue->count++;
	queue->bytes += kma_slab_bytes(slab);
	if (slab->cache->bufsize == 0)
		queue->oversize += kma_slab_bytes(slab);
}

/* Let the oldest go until no more than so many are left, with no more bytes.
 * The lock is held, but for a while. */
static void shrink(struct kma_slab_queue *queue, size_t count, size_t bytes)
{
	struct kma_lock *lock = &kma_cache_oversize()->depot_lock;

	while (queue->count && (queue->count > count || queue->bytes > bytes)) {
		struct kma_slab *oldest = pop(queue);

		kma_lock_release(lock);
		queue->release(oldest);
		kma_lock_acquire(lock);
	}
}

void kma_slab_queue_put(struct kma_slab_queue *queue, struct kma_slab *slab,
			size_t bytes_max)
{
	struct kma_lock *lock = &kma_cache_oversize()->depot_lock;
	size_t bytes = kma_slab_bytes(slab);

	kma_lock_acquire(lock);
	shrink(queue, queue->size - 1,
	       bytes_max > bytes ? bytes_max - bytes : 0);
	push(queue, slab);
	kma_lock_release(lock);
}

void kma_slab_queue_drain(struct kma_slab_queue *queue)
{
	struct kma_lock *lock = &kma_cache_oversize()->depot_lock;

	kma_lock_acquire(lock);
	shrink(queue, 0, 0);
	kma_lock_release(lock);
}

size_t kma_slab_queue_oversize(const struct kma_slab_queue *queue)
{
	struct kma_lock *lock = &kma_cache_oversize()->depot_lock;

	kma_lock_acquire(lock);
	size_t bytes = queue->oversize;

	kma_lock_release(lock);
	return bytes;
}
