/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Its lock is taken once in magazine_size operations; where threads still wait
 * for it, the next magazines are larger. What a depot holds beyond its limit
 * goes back to the slabs, the oldest first, and so does, every few seconds,
 * what nobody needed meanwhile: as many magazines as always lay there.
 */
#include "alloc/magazine_depot.h"

#include "alloc/allocate.h"
#include "alloc/client.h"
#include "alloc/clock.h"
#include "alloc/meta.h"
#include "alloc/root.h"
#include "alloc/sample.h"
#include "alloc/slab.h"

/* Seconds between two looks at what a depot could do without, and how often in
 * one of them threads may wait for its lock before magazines grow. */
enum { UPDATE_SECONDS = 5, CONTENTION_MAX = 16 };

/* Buffers kept from reuse, by bytes and by number, in each cache. */
enum { QUARANTINE_BYTES = 256 * 1024, QUARANTINE_ROUNDS = 1024 };

/* What a depot may hold beyond that. */
enum { DEPOT_BYTES = 1024 * 1024, DEPOT_MAGAZINES_MIN = 4 };

static size_t magazine_bytes(const struct kma_magazine *magazine)
{
	return sizeof(*magazine) + magazine->capacity * sizeof(void *);
}

/*
 * Rounds of its next magazines. Samples are few: as many in a magazine as
 * others have would be memory that has left the processor's cache when it is
 * wanted.
 */
static uint32_t magazine_size(const struct kma_cache *cache, enum kma_tier tier)
{
	enum { OF_SAMPLES = 5 }; /* one of the sizes that cache.c has */
	uint32_t size = kma_cache_magazine_size(cache);

	return size > OF_SAMPLES && kma_sample_has_alone(cache, tier)
		       ? OF_SAMPLES
		       : size;
}

struct kma_magazine *kma_magazine_create(const struct kma_cache *cache,
					 enum kma_tier tier)
{
	uint32_t size = magazine_size(cache, tier);
	struct kma_magazine *magazine =
		kma_meta_take(kma_meta_magazine(size), 1,
			      sizeof(*magazine) + size * sizeof(void *));

	if (magazine)
		magazine->capacity = size;
	return magazine;
}

void kma_magazine_free(struct kma_magazine *magazine)
{
	kma_meta_give(kma_meta_magazine(magazine->capacity), magazine, 1,
		      magazine_bytes(magazine));
}

static void depot_acquire(struct kma_cache *cache)
{
	if (kma_lock_try(&cache->depot_lock))
		return;
	kma_lock_acquire(&cache->depot_lock);
	cache->depot_waits++;
}

static void depot_release(struct kma_cache *cache)
{
	kma_lock_release(&cache->depot_lock);
}

/*
 * Bytes kept from reuse. Of a tier that only samples have, what is given back
 * in the time that all of it would be kept for if everybody had the tier: more
 * would be memory that has left the processor's cache when it is wanted.
 */
static size_t quarantine_bytes(const struct kma_cache *cache,
			       enum kma_tier tier)
{
	size_t rate = kma_root.sample_rate;
	size_t cost = kma_root.sample_bytes ? cache->bufsize : 1;

	if (!kma_sample_has_alone(cache, tier) || rate <= cost)
		return QUARANTINE_BYTES;
	return QUARANTINE_BYTES * cost / rate;
}

/* Magazines that must be in before one comes out. */
static uint32_t depot_quarantine(const struct kma_cache *cache,
				 enum kma_tier tier)
{
	if (!kma_magazine_queues(tier))
		return 0;

	size_t rounds = quarantine_bytes(cache, tier) / cache->bufsize;

	if (rounds > QUARANTINE_ROUNDS)
		rounds = QUARANTINE_ROUNDS;
	return (uint32_t)(rounds / magazine_size(cache, tier)) + 1;
}

static uint32_t depot_limit(const struct kma_cache *cache, enum kma_tier tier)
{
	size_t count = DEPOT_BYTES /
		       (cache->bufsize * (size_t)magazine_size(cache, tier));

	if (count < DEPOT_MAGAZINES_MIN)
		count = DEPOT_MAGAZINES_MIN;
	return (uint32_t)count + depot_quarantine(cache, tier);
}

/* Whoever wants one looks whether there is any before taking the lock. */
static void full_list_set(struct kma_cache *cache, enum kma_tier tier,
			  struct kma_magazine *first)
{
	__atomic_store_n(&cache->full_magazines[tier], first, __ATOMIC_RELAXED);
}

static void depot_push_full(struct kma_cache *cache, enum kma_tier tier,
			    struct kma_magazine *magazine)
{
	struct kma_magazine *first = cache->full_magazines[tier];
	struct kma_magazine **tail = &cache->full_tails[tier];

	cache->full_count[tier]++;
	if (kma_magazine_queues(tier)) {
		magazine->next = NULL;
		if (*tail)
			(*tail)->next = magazine;
		else
			full_list_set(cache, tier, magazine);
		*tail = magazine;
		return;
	}
	magazine->next = first;
	full_list_set(cache, tier, magazine);
	if (!*tail)
		*tail = magazine;
}

static struct kma_magazine *depot_pop_full(struct kma_cache *cache,
					   enum kma_tier tier)
{
	struct kma_magazine *magazine = cache->full_magazines[tier];

	if (!magazine)
		return NULL;
	full_list_set(cache, tier, magazine->next);
	if (!magazine->next)
		cache->full_tails[tier] = NULL;
	if (--cache->full_count[tier] < cache->full_least[tier])
		cache->full_least[tier] = cache->full_count[tier];
	magazine->next = NULL;
	return magazine;
}

static void depot_push_empty(struct kma_cache *cache, enum kma_tier tier,
			     struct kma_magazine *magazine)
{
	magazine->next = cache->empty_magazines[tier];
	cache->empty_magazines[tier] = magazine;
}

static struct kma_magazine *depot_pop_empty(struct kma_cache *cache,
					    enum kma_tier tier)
{
	struct kma_magazine *magazine = cache->empty_magazines[tier];

	if (magazine)
		cache->empty_magazines[tier] = magazine->next;
	return magazine;
}

struct kma_magazine *kma_magazine_depot_take(struct kma_cache *cache,
					     enum kma_tier tier,
					     struct kma_magazine *empty)
{
	struct kma_magazine *full = NULL;

	if (!__atomic_load_n(&cache->full_magazines[tier], __ATOMIC_RELAXED))
		return NULL;
	depot_acquire(cache);
	if (cache->full_count[tier] > depot_quarantine(cache, tier))
		full = depot_pop_full(cache, tier);
	if (full && empty)
		depot_push_empty(cache, tier, empty);
	depot_release(cache);
	return full;
}

/* All rounds of a magazine to the slabs. Misuse that tier off let pass shows
 * here: a buffer that is free already, or no buffer. */
static void magazine_flush(struct kma_cache *cache,
			   struct kma_magazine *magazine)
{
	void *bad = NULL;

	kma_lock_acquire(&cache->lock);
	for (uint32_t i = 0; i < magazine->rounds; i++)
		if (!kma_slab_put(cache, magazine->round[i], true))
			bad = magazine->round[i];
	magazine->rounds = 0;
	kma_lock_release(&cache->lock);
	if (bad)
		kma_report_bad_free((uintptr_t)bad, "free");
}

static void magazine_dissolve(struct kma_cache *cache,
			      struct kma_magazine *magazine)
{
	magazine_flush(cache, magazine);
	kma_magazine_free(magazine);
}

/* How many of the depot's magazines lay there all the time since the last look.
 * The depot's lock is held. */
static uint32_t depot_idle(struct kma_cache *cache, enum kma_tier tier)
{
	uint32_t idle = kma_magazine_queues(tier) ? 0 : cache->full_least[tier];

	cache->full_least[tier] = cache->full_count[tier];
	return idle;
}

/* The same, but none if that was just now. */
static uint32_t depot_update(struct kma_cache *cache, enum kma_tier tier)
{
	uint32_t now = kma_clock_seconds();

	if (now - cache->depot_updated < UPDATE_SECONDS)
		return 0;
	cache->depot_updated = now;
	if (cache->depot_waits > CONTENTION_MAX)
		kma_cache_magazine_grow(cache);
	cache->depot_waits = 0;
	return depot_idle(cache, tier);
}

static void depot_reap(struct kma_cache *cache, enum kma_tier tier,
		       uint32_t count)
{
	for (; count; count--) {
		depot_acquire(cache);
		struct kma_magazine *magazine = depot_pop_full(cache, tier);

		depot_release(cache);
		if (!magazine)
			break;
		magazine_dissolve(cache, magazine);
	}
}

void kma_magazine_depot_age(struct kma_cache *cache)
{
	for (enum kma_tier tier = 0; tier < KMA_TIER_COUNT; tier++) {
		depot_acquire(cache);
		uint32_t idle = depot_idle(cache, tier);

		depot_release(cache);
		depot_reap(cache, tier, idle);
	}
	kma_lock_acquire(&cache->lock);
	kma_slab_reap(cache);
	kma_lock_release(&cache->lock);
}

struct kma_magazine *kma_magazine_depot_put(struct kma_cache *cache,
					    enum kma_tier tier,
					    struct kma_magazine *full)
{
	struct kma_magazine *empty, *surplus = NULL;

	depot_acquire(cache);
	if (full)
		depot_push_full(cache, tier, full);
	if (cache->full_count[tier] > depot_limit(cache, tier))
		surplus = depot_pop_full(cache, tier);
	empty = surplus ? NULL : depot_pop_empty(cache, tier);
	uint32_t idle = depot_update(cache, tier);

	depot_release(cache);
	depot_reap(cache, tier, idle);
	if (surplus) {
		magazine_flush(cache, surplus);
		empty = surplus;
	}
	if (empty && empty->capacity < magazine_size(cache, tier)) {
		kma_magazine_free(empty);
		empty = NULL;
	}
	return empty ? empty : kma_magazine_create(cache, tier);
}

struct kma_magazine *kma_magazine_depot_exchange(struct kma_cache *cache,
						 enum kma_tier tier,
						 struct kma_magazine *full,
						 struct kma_magazine **surplus)
{
	struct kma_magazine *empty;

	depot_acquire(cache);
	if (full)
		depot_push_full(cache, tier, full);
	*surplus = cache->full_count[tier] > depot_limit(cache, tier)
			   ? depot_pop_full(cache, tier)
			   : NULL;
	empty = depot_pop_empty(cache, tier);
	depot_release(cache);
	return empty;
}

void kma_magazine_depot_keep(struct kma_cache *cache, enum kma_tier tier,
			     struct kma_magazine *magazine)
{
	if (!magazine)
		return;
	kma_lock_acquire(&cache->depot_lock);
	if (magazine->rounds)
		depot_push_full(cache, tier, magazine);
	else
		depot_push_empty(cache, tier, magazine);
	kma_lock_release(&cache->depot_lock);
}

void kma_magazine_depot_return(struct kma_cache *cache, enum kma_tier tier,
			       struct kma_magazine *magazine)
{
	struct kma_magazine *surplus = NULL;

	if (!magazine)
		return;
	depot_acquire(cache);
	if (magazine->rounds == 0)
		depot_push_empty(cache, tier, magazine);
	else
		depot_push_full(cache, tier, magazine);
	if (cache->full_count[tier] > depot_limit(cache, tier) &&
	    !kma_client_destructs(cache))
		surplus = depot_pop_full(cache, tier);
	depot_release(cache);
	if (surplus)
		magazine_dissolve(cache, surplus);
}

struct kma_magazine *kma_magazine_pop(struct kma_cache *cache,
				      enum kma_tier tier)
{
	struct kma_magazine *magazine;

	kma_lock_acquire(&cache->depot_lock);
	magazine = depot_pop_full(cache, tier);
	if (!magazine)
		magazine = depot_pop_empty(cache, tier);
	kma_lock_release(&cache->depot_lock);
	return magazine;
}

void kma_magazine_drain(struct kma_cache *cache)
{
	struct kma_magazine *magazine;

	for (enum kma_tier tier = 0; tier < KMA_TIER_COUNT; tier++)
		do {
			magazine = kma_magazine_pop(cache, tier);
			if (!magazine)
				break;
			magazine_dissolve(cache, magazine);
		} while (true);
	kma_lock_acquire(&cache->lock);
	kma_slab_reap(cache);
	kma_lock_release(&cache->lock);
}

size_t kma_magazine_depot_rounds(struct kma_cache *cache)
{
	size_t rounds = 0;

	depot_acquire(cache);
	for (enum kma_tier tier = 0; tier < KMA_TIER_COUNT; tier++)
		for (struct kma_magazine *magazine =
			     cache->full_magazines[tier];
		     magazine; magazine = magazine->next)
			rounds += magazine->rounds;
	depot_release(cache);
	return rounds;
}
