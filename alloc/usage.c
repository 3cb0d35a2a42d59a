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
		const struct kma_magset *set =
			&thread->magsets[tier * thread->magset_caches + index];

		if (index >= thread->magset_caches)
			return;
		usage->alloc += __atomic_load_n(&set->alloc, __ATOMIC_RELAXED);
		usage->free += __atomic_load_n(&set->free, __ATOMIC_RELAXED);
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
	usage.pages = cache->pages;
	usage.alloc_fail =
		__atomic_load_n(&cache->alloc_fail, __ATOMIC_RELAXED);
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

/* Others count on; a number here is what it was at some moment of the call. */
static uint64_t look(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static uint64_t in_use(enum kma_account account)
{
	return look(&kma_arena_account(account)->in_use);
}

static uint64_t total(enum kma_account account)
{
	return look(&kma_arena_account(account)->total);
}

static void add_arenas(struct kma_stats *stats)
{
	size_t limit = kma_pages_limit();

	stats->reserved = total(KMA_ACCOUNT_RESERVE);
	stats->committed = in_use(KMA_ACCOUNT_RESERVE);
	stats->heap_committed = total(KMA_ACCOUNT_HEAP);
	stats->heap_in_use = in_use(KMA_ACCOUNT_HEAP);
	stats->heap_limit =
		limit ? (uint64_t)limit << KMA_PAGE_SHIFT : UINT64_MAX;
	stats->slabs = in_use(KMA_ACCOUNT_DEFAULT);
	stats->large = in_use(KMA_ACCOUNT_OVERSIZE);
	stats->metadata_committed = total(KMA_ACCOUNT_METADATA);
	stats->metadata_in_use = in_use(KMA_ACCOUNT_METADATA);
	stats->stacks = in_use(KMA_ACCOUNT_STACKS);
	stats->logs = in_use(KMA_ACCOUNT_LOG);
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
