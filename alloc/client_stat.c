/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of a cache, by the names that illumos gives them. */
#include "alloc/client.h"

#include "alloc/magazine.h"
#include "alloc/magazine_depot.h"
#include "alloc/root.h"
#include "alloc/slab.h"
#include "alloc/thread.h"

#include <string.h>

struct counts {
	const struct kma_cache *cache;
	uint64_t alloc, free; /* threads' included */
	uint64_t parked;      /* in magazines of the depot and of threads */
	uint64_t full, empty; /* magazines of the depot */
};

static void count_threads(struct counts *counts)
{
	uint32_t index = counts->cache->index;

	kma_lock_acquire(&kma_thread_lock);
	for (const struct kma_thread *thread = kma_root.threads; thread;
	     thread = thread->next)
		for (uint32_t tier = 0;
		     tier < KMA_TIER_COUNT && index < thread->magset_caches;
		     tier++) {
			const struct kma_magset *set =
				&thread->magsets[tier * thread->magset_caches +
						 index];

			counts->alloc += set->alloc;
			counts->free += set->free;
			counts->parked += kma_magazine_set_rounds(set);
		}
	kma_lock_release(&kma_thread_lock);
}

static void count_depot(struct counts *counts, struct kma_cache *cache)
{
	kma_lock_acquire(&cache->depot_lock);
	for (unsigned tier = 0; tier < KMA_TIER_COUNT; tier++) {
		const struct kma_magazine *m = cache->full_magazines[tier];

		for (; m; m = m->next, counts->full++)
			counts->parked += m->rounds;
		for (m = cache->empty_magazines[tier]; m; m = m->next)
			counts->empty++;
	}
	kma_lock_release(&cache->depot_lock);
}

static struct counts count(struct kma_cache *cache)
{
	struct kma_thread *self = kma_thread_enter();
	struct counts counts = {
		.cache = cache,
		.alloc = cache->alloc,
		.free = cache->free,
	};

	count_threads(&counts);
	count_depot(&counts, cache);
	kma_thread_leave(self);
	return counts;
}

/* What needs no counting. */
static bool plain_stat(const struct kma_cache *cache, const char *name,
		       uint64_t *ret)
{
	const struct kma_client *client = cache->client;
	const struct {
		const char *name;
		uint64_t value;
	} stats[] = {
		{ "buf_size", client->size },
		{ "align", cache->align },
		{ "chunk_size", cache->bufsize },
		{ "alloc_fail", cache->alloc_fail },
		{ "buf_total", cache->buf_total },
		{ "buf_limit", cache->limit },
		{ "buf_out", cache->out },
		{ "buf_max",
		  client->slab_peak * kma_slab_buffers(cache, cache->tier) },
		{ "depot_alloc", client->depot_alloc },
		{ "depot_free", client->depot_free },
		{ "depot_contention", cache->depot_waits },
		{ "slab_alloc", cache->slab_alloc },
		{ "slab_free", cache->slab_alloc - cache->out },
		{ "slab_create", cache->slab_create },
		{ "slab_destroy", cache->slab_destroy },
		{ "slab_count", cache->slab_create - cache->slab_destroy },
		{ "slab_size",
		  kma_slab_buffers(cache, cache->tier) * cache->bufsize },
		{ "slab_peak", client->slab_peak },
		{ "page_count", cache->pages },
		{ "slab_min", client->slab_min },
		{ "slab_high", client->slab_high },
		{ "buf_low", client->low },
		{ "magazine_size", cache->magazine_size },
		{ "wait", client->waits },
		{ "limit_fail", client->limit_fails },
		{ "construct_fail", client->construct_fails },
		{ "low_fail", client->low_fails },
		{ "reap", client->reaps },
		{ "move_yes", client->moves[KMA_MOVE_YES] },
		{ "move_no", client->moves[KMA_MOVE_NO] },
		{ "move_later", client->moves[KMA_MOVE_LATER] },
		{ "move_dont_need", client->moves[KMA_MOVE_DONT_NEED] },
		{ "move_dont_know", client->moves[KMA_MOVE_DONT_KNOW] },
		{ "move_slabs_freed", client->moved_slabs },
	};

	for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++)
		if (strcmp(stats[i].name, name) == 0) {
			*ret = stats[i].value;
			return true;
		}
	return false;
}

static uint64_t sum_of_moves(const struct kma_client *client)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i <= KMA_MOVE_DONT_KNOW; i++)
		sum += client->moves[i];
	return sum;
}

uint64_t kma_cache_stat(struct kma_cache *cache, const char *name)
{
	struct counts counts;
	uint64_t value;

	if (!cache || !cache->client || !name)
		return 0;
	if (plain_stat(cache, name, &value))
		return value;
	if (strcmp(name, "move_callbacks") == 0)
		return sum_of_moves(cache->client);
	counts = count(cache);
	if (strcmp(name, "alloc") == 0)
		return counts.alloc;
	if (strcmp(name, "free") == 0)
		return counts.free;
	if (strcmp(name, "buf_inuse") == 0)
		return counts.alloc - counts.free;
	if (strcmp(name, "buf_avail") == 0)
		return cache->buf_total - (counts.alloc - counts.free);
	/* illumos's name for what lies in magazines. */
	if (strcmp(name, "buf_parked") == 0 ||
	    strcmp(name, "buf_constructed") == 0)
		return counts.parked;
	if (strcmp(name, "full_magazines") == 0)
		return counts.full;
	return strcmp(name, "empty_magazines") == 0 ? counts.empty : 0;
}
