/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/usage.h"

#include "alloc/arena.h"
#include "alloc/root.h"
#include "alloc/thread.h"
#include "alloc/vmem.h"

#include "kma/kma.h"

#include <errno.h>
#include <string.h>

static void add_thread(const struct kma_thread *thread, unsigned index,
		       struct kma_usage *usage)
{
	for (unsigned tier = 0; tier < KMA_TIER_COUNT; tier++) {
		size_t set = tier * thread->magset_caches + index;

		if (index < thread->magset_caches) {
			usage->alloc += thread->magsets[set].alloc;
			usage->free += thread->magsets[set].free;
		}
	}
}

struct kma_usage kma_usage_of(struct kma_cache *cache)
{
	struct kma_usage usage = { 0 };

	for (const struct kma_thread *thread = kma_root.threads; thread;
	     thread = thread->next)
		add_thread(thread, cache->index, &usage);
	kma_lock_acquire(&cache->lock);
	usage.total = cache->buf_total;
	usage.alloc += cache->alloc;
	usage.free += cache->free;
	usage.alloc_fail = cache->alloc_fail;
	kma_lock_release(&cache->lock);
	/* A thread may be between the two counts. */
	usage.in_use = usage.alloc > usage.free ? usage.alloc - usage.free : 0;
	return usage;
}

static void add_caches(struct kma_stats *stats)
{
	kma_lock_acquire(&kma_thread_lock);
	for (unsigned i = 0; i < kma_cache_count; i++) {
		struct kma_usage usage = kma_usage_of(kma_caches[i]);

		stats->buffers += usage.total;
		stats->buffers_in_use += usage.in_use;
		stats->allocations += usage.alloc;
		stats->frees += usage.free;
		stats->failures += usage.alloc_fail;
	}
	kma_lock_release(&kma_thread_lock);
}

static void add_arenas(struct kma_stats *stats)
{
	const struct kma_vmem *heap = kma_arena_account(KMA_ACCOUNT_HEAP);
	const struct kma_vmem *metadata =
		kma_arena_account(KMA_ACCOUNT_METADATA);
	size_t limit = kma_pages_limit();

	stats->reserved = kma_arena_account(KMA_ACCOUNT_RESERVE)->total;
	stats->committed = kma_arena_account(KMA_ACCOUNT_RESERVE)->in_use;
	stats->heap_committed = heap->total;
	stats->heap_in_use = heap->in_use;
	stats->heap_limit =
		limit ? (uint64_t)limit << KMA_PAGE_SHIFT : UINT64_MAX;
	stats->slabs = kma_arena_account(KMA_ACCOUNT_DEFAULT)->in_use;
	stats->large = kma_arena_account(KMA_ACCOUNT_OVERSIZE)->in_use;
	stats->metadata_committed = metadata->total;
	stats->metadata_in_use = metadata->in_use;
	stats->stacks = kma_arena_account(KMA_ACCOUNT_STACKS)->in_use;
	stats->logs = kma_arena_account(KMA_ACCOUNT_LOG)->in_use;
}

__attribute__((visibility("default"))) int kma_stats(struct kma_stats *ret,
						     size_t size)
{
	struct kma_stats stats = { .size = sizeof(stats), .version = 1 };
	struct kma_thread *self = kma_thread_enter();
	bool able = !kma_thread_nested(self) && kma_init();

	if (able) {
		add_caches(&stats);
		add_arenas(&stats);
	}
	kma_thread_leave(self);
	if (!able || size < offsetof(struct kma_stats, reserved)) {
		errno = able ? EINVAL : EAGAIN;
		return -1;
	}
	if (size > sizeof(stats)) {
		memset((char *)ret + sizeof(stats), 0, size - sizeof(stats));
		size = sizeof(stats);
	}
	memcpy(ret, &stats, size);
	return 0;
}
