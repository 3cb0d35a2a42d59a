/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slabs of a client's cache: when they come, and when they go.
 *
 *	priming, the low water mark	slabs before they are needed
 *	the high water mark		an empty slab beyond it goes at once
 *	reclaim				what has been empty for a while goes
 */
#include "alloc/client.h"

#include "alloc/foreign.h"
#include "alloc/magazine_depot.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/slab.h"
#include "alloc/thread.h"
#include "alloc/visit.h"
#include "alloc/wait.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define NANOSECONDS UINT64_C(1000000000)

unsigned kma_pool_idle_seconds = 10;

uint64_t kma_client_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

static uint64_t slab_count(const struct kma_cache *cache)
{
	return cache->slab_create - cache->slab_destroy;
}

static uint64_t free_count(const struct kma_cache *cache)
{
	return cache->buf_total - cache->out;
}

bool kma_client_keeps(const struct kma_cache *cache)
{
	const struct kma_client *client = cache->client;

	return client->state == KMA_CLIENT_LIVE &&
	       (slab_count(cache) <= client->slab_min ||
		slab_count(cache) <= client->slab_high);
}

void kma_client_note_peak(struct kma_cache *cache)
{
	if (slab_count(cache) > cache->client->slab_peak)
		cache->client->slab_peak = slab_count(cache);
}

/* --- coming -----------------------------------------------------------------
 */

static void detach(struct kma_cache *cache, struct kma_slab *slab)
{
	kma_lock_acquire(&cache->lock);
	kma_slab_detach(slab);
	kma_lock_release(&cache->lock);
}

/* Pages that begin within one would share it with what is not theirs. */
static bool is_aligned(const struct kma_cache *cache, const void *memory)
{
	if ((uintptr_t)memory % KMA_PAGE_SIZE == 0)
		return true;
	kma_report(&(struct kma_report){
		.code = KMA_ERROR_BADADDR,
		.function = kma_client_function(cache->client, true),
		.address = (uintptr_t)memory,
		.detail = "pages that a cache's own allocator brings begin "
			  "at a multiple of 4096" });
	return false;
}

bool kma_client_import(struct kma_cache *cache, unsigned flags)
{
	const struct kma_client *client = cache->client;
	struct kma_thread *self;
	struct kma_slab *slab;
	void *memory = client->import(client->source, client->slab_size, flags);

	if (!memory)
		return false;
	if (!is_aligned(cache, memory)) {
		client->release(client->source, memory, client->slab_size);
		return false;
	}
	self = kma_thread_enter();
	slab = kma_slab_create_foreign(cache, (uintptr_t)memory);
	if (slab && !kma_foreign_enter(slab)) {
		detach(cache, slab);
		kma_slab_destroy_detached(slab);
		slab = NULL;
	}
	kma_thread_leave(self);
	if (!slab)
		client->release(client->source, memory, client->slab_size);
	return slab != NULL;
}

/* One more slab, without sleeping. False: no memory. */
static bool add_slab(struct kma_cache *cache)
{
	struct kma_thread *self;
	bool added = false;

	if (kma_client_is_foreign(cache))
		return kma_client_import(cache, KMA_NOSLEEP);
	self = kma_thread_enter();
	if (!kma_thread_nested(self)) {
		kma_lock_acquire(&cache->lock);
		added = kma_slab_add(cache, cache->tier == KMA_TIER_GUARD
						    ? KMA_TIER_AUDIT
						    : cache->tier);
		kma_lock_release(&cache->lock);
	}
	kma_thread_leave(self);
	return added;
}

void kma_client_keep_low(struct kma_cache *cache)
{
	while (free_count(cache) < cache->client->low)
		if (!add_slab(cache)) {
			__atomic_add_fetch(&cache->client->low_fails, 1,
					   __ATOMIC_RELAXED);
			return;
		}
}

void kma_cache_set_low(struct kma_cache *cache, unsigned count)
{
	if (!kma_client_check(cache, "kma_cache_set_low"))
		return;
	cache->client->low = count;
	kma_client_keep_low(cache);
}

/* Slabs for total objects, which then stay. */
static int prime(struct kma_cache *cache, uint64_t total)
{
	uint64_t before = slab_count(cache);
	int error = 0;

	while (!error && cache->buf_total < total)
		if (!add_slab(cache))
			error = ENOMEM;
	cache->client->slab_min += slab_count(cache) - before;
	return error;
}

int kma_cache_prime(struct kma_cache *cache, unsigned count)
{
	if (!kma_client_check(cache, "kma_cache_prime"))
		return EINVAL;
	return prime(cache, cache->buf_total + count);
}

int kma_cache_prime_to(struct kma_cache *cache, unsigned count)
{
	if (!kma_client_check(cache, "kma_cache_prime_to"))
		return EINVAL;
	return prime(cache, count);
}

/* --- limits -----------------------------------------------------------------
 */

static uint64_t slabs_for(struct kma_cache *cache, uint64_t count)
{
	uint64_t each = kma_slab_buffers(cache, cache->tier);

	return (count + each - 1) / each;
}

/* Empty slabs beyond the high water mark, now. */
static void trim(struct kma_cache *cache)
{
	if (slab_count(cache) > cache->client->slab_high)
		kma_client_release(cache, 0);
}

void kma_cache_set_high(struct kma_cache *cache, unsigned count)
{
	if (!kma_client_check(cache, "kma_cache_set_high"))
		return;
	cache->client->slab_high = slabs_for(cache, count);
	trim(cache);
}

void kma_cache_set_limit(struct kma_cache *cache, unsigned count,
			 const char *warning, unsigned ratecap)
{
	if (!kma_client_check(cache, "kma_cache_set_limit"))
		return;
	struct kma_client *client = cache->client;
	struct kma_thread *self = kma_thread_enter();

	kma_lock_acquire(&cache->lock);
	cache->limit = count == UINT32_MAX ? UINT64_MAX : count;
	client->warning[0] = '\0';
	if (warning)
		strncpy(client->warning, warning, sizeof(client->warning) - 1);
	client->warning_gap = ratecap * NANOSECONDS;
	client->warned = 0;
	if (client->personality == KMA_NETBSD && count != UINT32_MAX)
		client->slab_high = slabs_for(cache, count);
	kma_lock_release(&cache->lock);
	kma_thread_leave(self);
	kma_wait_wake();
}

/* --- going ------------------------------------------------------------------
 */

/* Those of an audited slab were destructed when they were freed. */
static void destruct_rounds(const struct kma_cache *cache,
			    const struct kma_magazine *magazine)
{
	struct kma_buffer buffer;

	if (!cache->client->destruct || cache->client->state != KMA_CLIENT_LIVE)
		return;
	for (uint32_t i = 0; i < magazine->rounds; i++) {
		void *start = magazine->round[i];

		if (kma_buffer_find_in(cache, (uintptr_t)start, &buffer) &&
		    !buffer.slab->bufctls)
			kma_client_destruct(cache->client, start);
	}
}

void kma_client_empty(struct kma_cache *cache, struct kma_magazine *magazine)
{
	struct kma_thread *self;

	destruct_rounds(cache, magazine);
	self = kma_thread_enter();
	kma_lock_acquire(&cache->lock);
	for (uint32_t i = 0; i < magazine->rounds; i++)
		kma_slab_put(cache, magazine->round[i], true);
	kma_lock_release(&cache->lock);
	kma_magazine_free(magazine);
	kma_thread_leave(self);
}

static struct kma_magazine *pop(struct kma_cache *cache, enum kma_tier tier)
{
	struct kma_thread *self = kma_thread_enter();
	struct kma_magazine *magazine = kma_magazine_pop(cache, tier);

	kma_thread_leave(self);
	return magazine;
}

void kma_client_drain(struct kma_cache *cache, bool steal)
{
	struct kma_magazine *magazine;

	if (!cache->magazine_size)
		return;
	if (steal)
		kma_visit_all(cache);
	for (enum kma_tier tier = 0; tier < KMA_TIER_COUNT; tier++)
		while ((magazine = pop(cache, tier)))
			kma_client_empty(cache, magazine);
}

/* May one more slab go? Caller holds the cache's lock. */
static bool may_release(const struct kma_cache *cache,
			const struct kma_slab *slab, uint64_t before)
{
	const struct kma_client *client = cache->client;

	return slab && slab->empty_since <= before &&
	       slab_count(cache) > client->slab_min &&
	       free_count(cache) >= client->low + slab->buffers;
}

/* The slab that has been empty longest is the last of its list. */
static struct kma_slab *oldest_empty(const struct kma_cache *cache,
				     enum kma_tier tier)
{
	struct kma_slab *slab = cache->slabs[tier][KMA_SLABS_EMPTY];

	while (slab && slab->next)
		slab = slab->next;
	return slab;
}

static struct kma_slab *detach_empty(struct kma_cache *cache, uint64_t before)
{
	struct kma_slab *slab = NULL;

	kma_lock_acquire(&cache->lock);
	for (enum kma_tier tier = 0; !slab && tier < KMA_TIER_COUNT; tier++) {
		slab = oldest_empty(cache, tier);
		if (may_release(cache, slab, before))
			kma_slab_detach(slab);
		else
			slab = NULL;
	}
	kma_lock_release(&cache->lock);
	return slab;
}

size_t kma_client_release(struct kma_cache *cache, uint64_t idle)
{
	const struct kma_client *client = cache->client;
	uint64_t now = kma_client_time(), before = now > idle ? now - idle : 0;
	size_t released = 0;

	for (;; released++) {
		struct kma_thread *self = kma_thread_enter();
		struct kma_slab *slab = detach_empty(cache, before);
		void *memory = slab ? (void *)slab->base : NULL;

		if (slab && client->import)
			kma_foreign_remove(slab);
		if (slab)
			kma_slab_destroy_detached(slab);
		kma_thread_leave(self);
		if (!memory)
			return released;
		if (client->import)
			client->release(client->source, memory,
					client->slab_size);
	}
}

size_t kma_cache_reclaim(struct kma_cache *cache)
{
	if (!kma_client_check(cache, "kma_cache_reclaim"))
		return 0;
	struct kma_client *client = cache->client;

	__atomic_add_fetch(&client->reaps, 1, __ATOMIC_RELAXED);
	if (client->drain)
		client->drain(client->drain_arg,
			      kma_client_flags(client, KMA_NOSLEEP));
	kma_client_drain(cache, true);
	return kma_client_release(cache, kma_pool_idle_seconds * NANOSECONDS);
}

void kma_cache_invalidate(struct kma_cache *cache)
{
	if (kma_client_check(cache, "kma_cache_invalidate"))
		kma_client_drain(cache, true);
}

/* --- all caches of clients --------------------------------------------------
 */

static bool is_live(const struct kma_cache *cache)
{
	return cache->client && cache->client->state == KMA_CLIENT_LIVE;
}

struct kma_cache *kma_cache_next(const struct kma_cache *after)
{
	struct kma_thread *self = kma_thread_enter();
	struct kma_cache *cache;

	kma_lock_acquire(&kma_registry_lock);
	cache = after ? after->next : kma_root.caches;
	while (cache && !is_live(cache))
		cache = cache->next;
	kma_lock_release(&kma_registry_lock);
	kma_thread_leave(self);
	return cache;
}

void *kma_cache_owner(const struct kma_cache *cache)
{
	return cache && cache->client ? cache->client->owner : NULL;
}

struct kma_cache *kma_cache_reclaim_one(unsigned personality)
{
	static uint32_t turn; /* index of the one that was asked last */
	unsigned count = kma_cache_count;
	uint32_t start = __atomic_load_n(&turn, __ATOMIC_RELAXED);

	for (unsigned i = 1; i <= count; i++) {
		struct kma_cache *cache = kma_caches[(start + i) % count];

		if (!is_live(cache) ||
		    cache->client->personality != personality)
			continue;
		__atomic_store_n(&turn, cache->index, __ATOMIC_RELAXED);
		if (kma_cache_reclaim(cache))
			return cache;
	}
	return NULL;
}
