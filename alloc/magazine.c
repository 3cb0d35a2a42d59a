/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two magazines a thread, a cache and a tier.
 *
 *	thread: loaded, previous <--> depot: full ..., empty ... <--> slabs
 *
 * Tier off. Both operations work on loaded; when it runs out (or full) and
 * previous can help, the two change places; else one is exchanged with the
 * depot (magazine_depot.h). So a thread that goes back and forth across the
 * edge of a magazine does not go to the depot each time.
 *
 * Tier audit. A freed buffer must not come back at once, or a write through a
 * stale pointer would look like the new owner's. Allocation empties loaded,
 * freeing fills previous, and the depot keeps in quarantine what is full.
 */
#include "alloc/magazine.h"

#include "alloc/audit.h"
#include "alloc/magazine_depot.h"
#include "alloc/slab.h"

static bool has_rounds(const struct kma_magazine *magazine)
{
	return magazine && magazine->rounds > 0;
}

static bool is_full(const struct kma_magazine *magazine)
{
	return magazine->rounds == magazine->capacity;
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
	if (!kma_magazine_queues(tier) && has_rounds(set->previous)) {
		swap(set);
		return true;
	}

	struct kma_magazine *empty = unload(set);
	struct kma_magazine *full = kma_magazine_depot_take(cache, tier, empty);
	bool filled = full != NULL;

	if (!full) {
		full = empty ? empty : kma_magazine_create(cache, tier);
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
	if (kma_magazine_queues(tier) && cache->tier >= tier)
		foresee(set); /* else it is a sample, the next far away */
	return kma_magset_pop(set);
}

/* To the magazine that fills while the loaded one is emptied. */
static bool put_in_previous(struct kma_magset *set, struct kma_cache *cache,
			    enum kma_tier tier, void *start)
{
	struct kma_magazine *magazine = set->previous;

	if (!magazine || is_full(magazine))
		magazine = set->previous =
			kma_magazine_depot_put(cache, tier, magazine);
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
	if (kma_magazine_queues(tier))
		return put_in_previous(set, cache, tier, start);
	if (kma_magset_push(set, start))
		return true;
	swap(set);
	if (kma_magset_push(set, start))
		return true;

	struct kma_magazine *empty =
		kma_magazine_depot_put(cache, tier, unload(set));

	if (!empty)
		return false;
	load(set, empty);
	return kma_magset_push(set, start);
}

/* --- of clients' caches: constructed objects ------------------------------
 */

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
			kma_magazine_depot_take(cache, tier, empty);

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
	empty = kma_magazine_depot_exchange(cache, tier, unload(set), surplus);
	if (!empty)
		empty = kma_magazine_create(cache, tier);
	if (!empty)
		return false;
	load(set, empty);
	return kma_magset_push(set, start);
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
		kma_magazine_depot_keep(cache, tier, previous);
		kma_magazine_depot_keep(cache, tier, unload(set));
	}
}

size_t kma_magazine_set_rounds(const struct kma_magset *set)
{
	return loaded_rounds(set) + (set->previous ? set->previous->rounds : 0);
}

/* --- whole sets ------------------------------------------------------------
 */

static void hand_back_set(struct kma_magset *set, struct kma_cache *cache,
			  enum kma_tier tier)
{
	kma_magazine_depot_return(cache, tier, set->previous);
	kma_magazine_depot_return(cache, tier, unload(set));
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
