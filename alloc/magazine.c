/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two magazines a thread, a cache and a tier; a depot a cache and a tier.
 *
 *	thread: loaded, previous <--> depot: full ..., empty ... <--> slabs
 *
 * Tier off. Both operations work on loaded; when it runs out (or full) and
 * previous can help, the two change places; else one is exchanged with the
 * depot. So a thread that goes back and forth across the edge of a magazine
 * does not go to the depot each time.
 *
 * Tier audit. A freed buffer must not come back at once, or a write through a
 * stale pointer would look like the new owner's. Allocation empties loaded,
 * freeing fills previous, full magazines queue in the depot first in first
 * out, and none is taken out before QUARANTINE bytes are in.
 *
 * The depot's lock is taken once in magazine_size operations; where threads
 * still wait for it, the next magazines are larger. What the depot holds beyond
 * its limit goes back to the slabs, the oldest first, and so does, every few
 * seconds, what nobody needed meanwhile: as many magazines as always lay there.
 */
#include "alloc/magazine.h"

#include "alloc/allocate.h"
#include "alloc/audit.h"
#include "alloc/client.h"
#include "alloc/clock.h"
#include "alloc/meta.h"
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

static struct kma_magazine *magazine_create(const struct kma_cache *cache)
{
	uint32_t size = kma_cache_magazine_size(cache);
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

static bool has_rounds(const struct kma_magazine *magazine)
{
	return magazine && magazine->rounds > 0;
}

static bool is_full(const struct kma_magazine *magazine)
{
	return magazine->rounds == magazine->capacity;
}

static bool is_queue(enum kma_tier tier)
{
	return tier == KMA_TIER_AUDIT || tier == KMA_TIER_GUARD;
}

/* --- the depot ------------------------------------------------------------ */

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

/* Magazines that must be in before one comes out. */
static uint32_t depot_quarantine(const struct kma_cache *cache,
				 enum kma_tier tier)
{
	if (!is_queue(tier))
		return 0;

	size_t rounds = QUARANTINE_BYTES / cache->bufsize;

	if (rounds > QUARANTINE_ROUNDS)
		rounds = QUARANTINE_ROUNDS;
	return (uint32_t)(rounds / kma_cache_magazine_size(cache)) + 1;
}

static uint32_t depot_limit(const struct kma_cache *cache, enum kma_tier tier)
{
	size_t count = DEPOT_BYTES / (cache->bufsize *
				      (size_t)kma_cache_magazine_size(cache));

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
	if (is_queue(tier)) {
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

/* Give an empty magazine (or none) and get one with rounds, or NULL. */
static struct kma_magazine *depot_trade_empty(struct kma_cache *cache,
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

/*
 * How many of the depot's magazines lay there all the time since the last look
 * (none if that was just now). The depot's lock is held.
 */
static uint32_t depot_update(struct kma_cache *cache, enum kma_tier tier)
{
	uint32_t now = kma_clock_seconds(), idle = 0;

	if (now - cache->depot_updated < UPDATE_SECONDS)
		return 0;
	cache->depot_updated = now;
	if (cache->depot_waits > CONTENTION_MAX)
		kma_cache_magazine_grow(cache);
	cache->depot_waits = 0;
	if (!is_queue(tier))
		idle = cache->full_least[tier];
	cache->full_least[tier] = cache->full_count[tier];
	return idle;
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

/* Give a magazine with rounds (or none) and get an empty one, or NULL. */
static struct kma_magazine *depot_trade_full(struct kma_cache *cache,
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
	if (empty && empty->capacity < kma_cache_magazine_size(cache)) {
		kma_magazine_free(empty);
		empty = NULL;
	}
	return empty ? empty : magazine_create(cache);
}

/* --- the thread's magazines ----------------------------------------------- */

/* The place below round 0, which holds NULL. */
static void **bottom_of(struct kma_magazine *magazine)
{
	return magazine->round - 1;
}

static size_t loaded_rounds(const struct kma_magset *set)
{
	return set->loaded ? (size_t)(set->top - bottom_of(set->loaded)) : 0;
}

/* The loaded magazine, as one that lies in the depot; NULL: there is none. */
static struct kma_magazine *unload(struct kma_magset *set)
{
	struct kma_magazine *magazine = set->loaded;

	if (!magazine)
		return NULL;
	*set->top = set->hot;
	magazine->rounds = (uint32_t)loaded_rounds(set);
	set->hot = NULL;
	set->top = set->limit = NULL;
	set->loaded = NULL;
	return magazine;
}

static void load(struct kma_magset *set, struct kma_magazine *magazine)
{
	set->loaded = magazine;
	set->limit = bottom_of(magazine) + magazine->capacity;
	set->top = bottom_of(magazine) + magazine->rounds;
	set->hot = *set->top;
}

static void swap(struct kma_magset *set)
{
	struct kma_magazine *previous = set->previous;

	set->previous = unload(set);
	if (previous)
		load(set, previous);
}

/* Fill a magazine from the slabs, so that the lowest address is on top. */
static bool fill(struct kma_magazine *magazine, struct kma_cache *cache,
		 enum kma_tier tier)
{
	kma_lock_acquire(&cache->lock);
	uint32_t rounds = kma_slab_take(cache, tier, magazine->round,
					magazine->capacity, true);
	kma_lock_release(&cache->lock);
	for (uint32_t i = 0; i < rounds / 2; i++) {
		void *start = magazine->round[i];

		magazine->round[i] = magazine->round[rounds - 1 - i];
		magazine->round[rounds - 1 - i] = start;
	}
	magazine->rounds = rounds;
	return rounds > 0;
}

/* Loaded is empty: get rounds from wherever there are some. */
static bool reload(struct kma_magset *set, struct kma_cache *cache,
		   enum kma_tier tier)
{
	if (!is_queue(tier) && has_rounds(set->previous)) {
		swap(set);
		return true;
	}

	struct kma_magazine *empty = unload(set);
	struct kma_magazine *full = depot_trade_empty(cache, tier, empty);
	bool filled = full != NULL;

	if (!full) {
		full = empty ? empty : magazine_create(cache);
		filled = full && fill(full, cache, tier);
	}
	if (full)
		load(set, full);
	return filled;
}

/*
 * A buffer comes out of quarantine long after anyone touched it. Which ones
 * are next is known: by the time one is dressed, its lines are here.
 */
static void foresee(const struct kma_magset *set)
{
	enum { AHEAD = 2 }; /* of hot */
	struct kma_buffer buffer;

	if (set->top - set->loaded->round >= AHEAD &&
	    kma_buffer_find((uintptr_t)set->top[-AHEAD], &buffer))
		kma_audit_foresee(&buffer);
}

void *kma_magazine_take(struct kma_thread *self, struct kma_cache *cache,
			enum kma_tier tier)
{
	struct kma_magset *set = kma_thread_magset(self, cache, tier);

	if (!set || (!set->hot && !reload(set, cache, tier)))
		return NULL;
	if (is_queue(tier))
		foresee(set);
	return kma_magset_pop(set);
}

/* To the magazine that fills while the loaded one is emptied. */
static bool put_in_previous(struct kma_magset *set, struct kma_cache *cache,
			    enum kma_tier tier, void *start)
{
	struct kma_magazine *magazine = set->previous;

	if (!magazine || is_full(magazine))
		magazine = set->previous =
			depot_trade_full(cache, tier, magazine);
	if (!magazine)
		return false;
	magazine->round[magazine->rounds++] = start;
	kma_magset_count(&set->free);
	return true;
}

bool kma_magazine_put(struct kma_thread *self, struct kma_cache *cache,
		      enum kma_tier tier, void *start)
{
	struct kma_magset *set = kma_thread_magset(self, cache, tier);

	if (!set)
		return false;
	if (is_queue(tier))
		return put_in_previous(set, cache, tier, start);
	if (kma_magset_push(set, start))
		return true;
	swap(set);
	if (kma_magset_push(set, start))
		return true;

	struct kma_magazine *empty = depot_trade_full(cache, tier, unload(set));

	if (!empty)
		return false;
	load(set, empty);
	return kma_magset_push(set, start);
}

/* --- of clients' caches: constructed objects ------------------------------
 */

/* Give a magazine with rounds and get an empty one, or NULL; and what the depot
 * then has too many of. */
static struct kma_magazine *depot_exchange_full(struct kma_cache *cache,
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

void *kma_magazine_take_parked(struct kma_thread *self, struct kma_cache *cache,
			       enum kma_tier tier)
{
	struct kma_magset *set = kma_thread_magset(self, cache, tier);

	if (!set)
		return NULL;
	if (!set->hot && has_rounds(set->previous)) {
		swap(set);
	} else if (!set->hot) {
		struct kma_magazine *empty = unload(set);
		struct kma_magazine *full =
			depot_trade_empty(cache, tier, empty);

		if (full || empty)
			load(set, full ? full : empty);
		if (!full)
			return NULL;
	}
	return kma_magset_pop(set);
}

bool kma_magazine_park(struct kma_thread *self, struct kma_cache *cache,
		       enum kma_tier tier, void *start,
		       struct kma_magazine **surplus)
{
	struct kma_magset *set = kma_thread_magset(self, cache, tier);
	struct kma_magazine *empty;

	*surplus = NULL;
	if (!set)
		return false;
	if (kma_magset_push(set, start))
		return true;
	swap(set);
	if (kma_magset_push(set, start))
		return true;
	empty = depot_exchange_full(cache, tier, unload(set), surplus);
	if (!empty)
		empty = magazine_create(cache);
	if (!empty)
		return false;
	load(set, empty);
	return kma_magset_push(set, start);
}

static void give_up(struct kma_cache *cache, enum kma_tier tier,
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

void kma_magazine_steal(struct kma_thread *thread, struct kma_cache *cache)
{
	if (cache->index >= thread->magset_caches)
		return;
	for (enum kma_tier tier = 0; tier < KMA_TIER_COUNT; tier++) {
		struct kma_magset *set =
			&thread->magsets[tier * thread->magset_caches +
					 cache->index];
		struct kma_magazine *previous = set->previous;

		set->previous = NULL;
		give_up(cache, tier, previous);
		give_up(cache, tier, unload(set));
	}
}

size_t kma_magazine_set_rounds(const struct kma_magset *set)
{
	return loaded_rounds(set) + (set->previous ? set->previous->rounds : 0);
}

/* --- whole sets ------------------------------------------------------------
 */

static void hand_back(struct kma_cache *cache, enum kma_tier tier,
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

static void hand_back_set(struct kma_magset *set, struct kma_cache *cache,
			  enum kma_tier tier)
{
	hand_back(cache, tier, set->previous);
	hand_back(cache, tier, unload(set));
	set->previous = NULL;
}

typedef void set_function(struct kma_magset *set, struct kma_cache *cache,
			  enum kma_tier tier);

static void each_set(struct kma_thread *thread, set_function *function)
{
	struct kma_magset *set = thread->magsets;

	for (enum kma_tier tier = 0; tier < KMA_TIER_COUNT; tier++)
		for (uint32_t i = 0; i < thread->magset_caches; i++, set++)
			if (set->loaded || set->previous || set->alloc ||
			    set->free)
				function(set, kma_caches[i], tier);
}

void kma_magazine_hand_back(struct kma_thread *thread)
{
	each_set(thread, hand_back_set);
}

static void settle_set(struct kma_magset *set, struct kma_cache *cache,
		       enum kma_tier tier)
{
	(void)tier;
	kma_lock_acquire(&cache->lock);
	cache->alloc += set->alloc;
	cache->free += set->free;
	kma_lock_release(&cache->lock);
}

void kma_magazine_settle(struct kma_thread *thread)
{
	each_set(thread, settle_set);
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
