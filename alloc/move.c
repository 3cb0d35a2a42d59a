/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Consolidation: where slabs are little used, their objects are moved into
 * slabs that are well used, so that whole slabs can go.
 *
 *	snapshot of the partial slabs, least used first
 *	| source ->                                    <- target |
 *
 * Only the client knows who points at an object, so its callback does the
 * moving. While its objects are asked about, a slab is held by a buffer of its
 * own that we take: it cannot become empty and go.
 */
#include "alloc/client.h"

#include "alloc/foreign.h"
#include "alloc/meta.h"
#include "alloc/reap.h"
#include "alloc/slab.h"
#include "alloc/thread.h"
#include "alloc/word.h"

enum { BUCKETS = 16, LATER_MAX = 3 };

/* A slab is known by its pages: its header may be gone by the time we come. */
struct candidate {
	uintptr_t base;
	struct kma_slab *slab;
};

struct plan {
	struct kma_cache *cache;
	enum kma_tier tier;
	struct candidate *list;
	size_t count, size;
	size_t target; /* list[target] is where objects go; [0, ..] come from */
};

static unsigned bucket_of(const struct kma_slab *slab)
{
	return (unsigned)((uint64_t)slab->in_use * BUCKETS / slab->buffers) %
	       BUCKETS;
}

static size_t count_partial(const struct plan *plan, size_t counts[BUCKETS])
{
	const struct kma_slab *slab =
		plan->cache->slabs[plan->tier][KMA_SLABS_PARTIAL];
	size_t count = 0;

	for (; slab; slab = slab->next, count++)
		counts[bucket_of(slab)]++;
	return count;
}

/* Least used first, to a sixteenth. Caller holds the cache's lock. */
static void fill_plan(struct plan *plan)
{
	size_t counts[BUCKETS] = { 0 }, at[BUCKETS], sum = 0;
	struct kma_slab *slab =
		plan->cache->slabs[plan->tier][KMA_SLABS_PARTIAL];

	plan->count = count_partial(plan, counts);
	if (plan->count > plan->size) {
		plan->count = 0;
		return;
	}
	for (unsigned i = 0; i < BUCKETS; i++) {
		at[i] = sum;
		sum += counts[i];
	}
	for (; slab; slab = slab->next)
		plan->list[at[bucket_of(slab)]++] =
			(struct candidate){ slab->base, slab };
}

static bool is_slab(const struct plan *plan, const struct candidate *candidate)
{
	uint64_t word = kma_pages_lookup(candidate->base);

	if (kma_client_is_foreign(plan->cache))
		return kma_foreign_slab(plan->cache, candidate->base) ==
		       candidate->slab;
	return (word & KMA_PAGE_SLAB_MASK) == (uintptr_t)candidate->slab &&
	       (word & KMA_PAGE_KIND_MASK) == KMA_PAGE_SLAB;
}

/* Still this slab, and of this cache? Caller holds the cache's lock. */
static bool is_there(const struct plan *plan, size_t number)
{
	const struct candidate *candidate = &plan->list[number];

	return is_slab(plan, candidate) &&
	       candidate->slab->cache == plan->cache &&
	       candidate->slab->list == KMA_SLABS_PARTIAL;
}

/* A place in the best used slab that has one; NULL: there is no better one. */
static void *take_target(struct plan *plan, size_t source)
{
	void *start = NULL;

	kma_lock_acquire(&plan->cache->lock);
	while (!start && plan->target > source) {
		if (is_there(plan, plan->target))
			start = kma_slab_take_from(
				plan->list[plan->target].slab);
		if (!start)
			plan->target--;
	}
	plan->cache->alloc += start != NULL;
	kma_lock_release(&plan->cache->lock);
	return start;
}

static void *hold(struct plan *plan, size_t number)
{
	void *start = NULL;

	kma_lock_acquire(&plan->cache->lock);
	if (is_there(plan, number))
		start = kma_slab_take_from(plan->list[number].slab);
	kma_lock_release(&plan->cache->lock);
	return start;
}

static bool unhold(struct kma_cache *cache, struct kma_slab *slab, void *start)
{
	bool is_last;

	kma_lock_acquire(&cache->lock);
	is_last = slab->in_use == 1;
	kma_slab_put(cache, start, true);
	kma_lock_release(&cache->lock);
	return is_last;
}

/* The client's answer about one object. */
static enum kma_move ask(struct kma_cache *cache, void *object, void *target)
{
	struct kma_client *client = cache->client;
	enum kma_move answer;

	kma_reap_set_moving(object, target);
	answer = client->move(object, target, client->size, client->arg);
	kma_reap_set_moving(NULL, NULL);
	if (answer > KMA_MOVE_DONT_KNOW)
		answer = KMA_MOVE_DONT_KNOW;
	__atomic_add_fetch(&client->moves[answer], 1, __ATOMIC_RELAXED);
	return answer;
}

/* False: the rest of the slab is not to be asked about. */
static bool move_object(struct plan *plan, struct kma_slab *slab, size_t source,
			void *object)
{
	struct kma_cache *cache = plan->cache;
	struct kma_thread *self = kma_thread_enter();
	void *start = take_target(plan, source);
	void *target;

	kma_thread_leave(self);
	target = start ? kma_client_adopt(cache, start) : NULL;
	if (!target)
		return false;
	switch (ask(cache, object, target)) {
	case KMA_MOVE_YES:
		kma_client_free_now(cache, object);
		return true;
	case KMA_MOVE_DONT_NEED:
		kma_client_free_now(cache, object);
		kma_client_free_now(cache, target);
		return true;
	case KMA_MOVE_LATER:
		slab->stuck++;
		break;
	case KMA_MOVE_NO:
		slab->stuck = LATER_MAX;
		break;
	default:
		break;
	}
	kma_client_free_now(cache, target);
	return slab->stuck < LATER_MAX;
}

static bool is_live(struct kma_slab *slab, uint32_t index, void **object)
{
	struct kma_buffer buffer = {
		.slab = slab,
		.index = index,
		.start = slab->base + slab->first + index * slab->stride,
		.bufctl = slab->bufctls ? &slab->bufctls[index] : NULL,
	};

	if (!kma_word_of(&buffer) ||
	    kma_word_state(kma_word_load(&buffer)) != KMA_BUFFER_ALLOCATED)
		return false;
	*object = (void *)kma_buffer_user(&buffer);
	return true;
}

/* True: the slab is empty now. */
static bool move_out(struct plan *plan, size_t source)
{
	struct kma_slab *slab = plan->list[source].slab;
	struct kma_cache *cache = plan->cache;
	struct kma_thread *self = kma_thread_enter();
	void *held = hold(plan, source), *object;
	bool emptied = false;

	kma_thread_leave(self);
	if (!held)
		return false;
	for (uint32_t i = 0; i < slab->buffers && slab->stuck < LATER_MAX; i++)
		if (is_live(slab, i, &object) &&
		    !move_object(plan, slab, source, object))
			break;
	self = kma_thread_enter();
	emptied = unhold(cache, slab, held);
	kma_thread_leave(self);
	return emptied;
}

static bool make_plan(struct plan *plan)
{
	struct kma_thread *self = kma_thread_enter();
	size_t counts[BUCKETS] = { 0 };

	kma_lock_acquire(&plan->cache->lock);
	plan->size = count_partial(plan, counts);
	kma_lock_release(&plan->cache->lock);
	plan->list =
		plan->size < 2
			? NULL
			: kma_meta_alloc(plan->size * sizeof(plan->list[0]));
	if (plan->list) {
		kma_lock_acquire(&plan->cache->lock);
		fill_plan(plan);
		kma_lock_release(&plan->cache->lock);
	}
	kma_thread_leave(self);
	return plan->list != NULL;
}

static void consolidate_tier(struct kma_cache *cache, enum kma_tier tier)
{
	struct plan plan = { .cache = cache, .tier = tier };
	struct kma_thread *self;

	if (!make_plan(&plan))
		return;
	plan.target = plan.count ? plan.count - 1 : 0;
	for (size_t i = 0; i < plan.target; i++)
		cache->client->moved_slabs += move_out(&plan, i);
	self = kma_thread_enter();
	kma_meta_free(plan.list, plan.size * sizeof(plan.list[0]));
	kma_thread_leave(self);
}

void kma_move_consolidate(struct kma_cache *cache)
{
	for (enum kma_tier tier = KMA_TIER_LITE; tier <= KMA_TIER_AUDIT; tier++)
		consolidate_tier(cache, tier);
}

void kma_cache_move_notify(struct kma_cache *cache, void *object)
{
	struct kma_buffer buffer;

	if (kma_client_check(cache, "kma_cache_move_notify") &&
	    kma_buffer_find_in(cache, (uintptr_t)object, &buffer) &&
	    buffer.slab->cache == cache)
		buffer.slab->stuck = 0;
}
