/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects back into a client's cache.
 *
 *	object --> magazine; what the depot has too many of is destructed
 *	object --> destructor --> slab (pool, signal handler, waiters)
 */
#include "alloc/client.h"

#include "alloc/allocate.h"
#include "alloc/audit.h"
#include "alloc/deferred.h"
#include "alloc/fast_kernel.h"
#include "alloc/foreign.h"
#include "alloc/fork.h"
#include "alloc/guard.h"
#include "alloc/intr.h"
#include "alloc/lite.h"
#include "alloc/magazine.h"
#include "alloc/reap.h"
#include "alloc/report.h"
#include "alloc/slab.h"
#include "alloc/text.h"
#include "alloc/thread.h"
#include "alloc/visit.h"
#include "alloc/wait.h"
#include "alloc/word.h"

static void report_wrong_cache(const struct kma_cache *cache,
			       const struct kma_buffer *buffer, void *object)
{
	char detail[128];
	struct kma_text text;

	kma_text_init(&text, detail, sizeof(detail));
	kma_text_string(&text, cache->name);
	kma_text_string(&text, ", allocated from ");
	kma_text_string(&text, buffer->slab->cache->name);
	kma_report(&(struct kma_report){
		.code = KMA_ERROR_BADCACHE,
		.address = (uintptr_t)object,
		.buffer = buffer,
		.function = kma_client_function(cache->client, false),
		.detail = detail });
}

/* Of this cache, or else of whatever is the nearest to what was meant: pages
 * that another cache was brought may be a buffer themselves. */
static bool find_any(const struct kma_cache *cache, uintptr_t address,
		     struct kma_buffer *ret)
{
	return (kma_buffer_find_in(cache, address, ret) &&
		ret->slab->cache == cache) ||
	       kma_buffer_find_any(address, ret);
}

/* The live object of this cache that the program names; else reported. */
static bool find_object(const struct kma_cache *cache, void *object,
			struct kma_buffer *ret)
{
	struct kma_report report = {
		.code = object ? KMA_ERROR_BADADDR : KMA_ERROR_NULLFREE,
		.address = (uintptr_t)object,
		.function = kma_client_function(cache->client, false),
	};

	if (!object || !find_any(cache, (uintptr_t)object, ret)) {
		kma_report(&report);
		return false;
	}
	if (ret->slab->cache != cache) {
		report_wrong_cache(cache, ret, object);
		return false;
	}
	if (!kma_word_of(ret) && ret->start != (uintptr_t)object) {
		report.code = KMA_ERROR_BADBASE;
		report.buffer = ret;
		kma_report(&report);
		return false;
	}
	if (kma_word_of(ret) &&
	    (kma_word_state(kma_word_load(ret)) != KMA_BUFFER_ALLOCATED ||
	     kma_buffer_user(ret) != (uintptr_t)object)) {
		kma_word_refuse(ret, (uintptr_t)object, report.function);
		return false;
	}
	return true;
}

/* From now on the program does not have it. */
static bool undress(const struct kma_buffer *buffer, void *object)
{
	const char *function =
		kma_client_function(buffer->slab->cache->client, false);

	if (buffer->bufctl)
		return kma_audit_free(buffer, (uintptr_t)object, SIZE_MAX,
				      KMA_FAMILY_CACHE, function);
	if (buffer->slab->words)
		return kma_lite_free(buffer, (uintptr_t)object, SIZE_MAX,
				     KMA_FAMILY_CACHE, function);
	return true;
}

static void put_in_slab(struct kma_cache *cache, uintptr_t start, bool nested)
{
	bool put;

	if (nested && !kma_lock_try(&cache->lock)) {
		kma_deferred_put(cache, start);
		return;
	}
	if (!nested)
		kma_lock_acquire(&cache->lock);
	put = kma_slab_put(cache, (void *)start, !nested);
	cache->free += put;
	kma_lock_release(&cache->lock);
	if (!put)
		kma_report_bad_free(start,
				    kma_client_function(cache->client, false));
}

static void guard_put(struct kma_cache *cache, struct kma_slab *slab)
{
	kma_lock_acquire(&cache->lock);
	cache->free++;
	cache->out--;
	kma_lock_release(&cache->lock);
	kma_guard_put(slab);
}

/* Not constructed any more: to where it came from. */
void kma_client_give_back(const struct kma_buffer *buffer)
{
	struct kma_slab *slab = buffer->slab;
	struct kma_cache *cache = slab->cache;
	struct kma_thread *self = kma_self;
	bool nested = kma_thread_nested(self);

	if (slab->kind == KMA_PAGE_LARGE && !nested)
		guard_put(cache, slab);
	else if (slab->kind == KMA_PAGE_LARGE)
		kma_deferred_put(cache, buffer->start);
	else if (nested || slab->tier != KMA_TIER_AUDIT || !self ||
		 !cache->magazine_size || kma_wait_any() || !kma_visit_none() ||
		 !kma_magazine_put(self, cache, KMA_TIER_AUDIT,
				   (void *)buffer->start))
		put_in_slab(cache, buffer->start, nested);
}

void kma_client_put_back(struct kma_cache *cache, void *object)
{
	struct kma_thread *self = kma_thread_enter();
	struct kma_buffer buffer;

	if (find_object(cache, object, &buffer) && undress(&buffer, object))
		kma_client_give_back(&buffer);
	kma_thread_leave(self);
	kma_wait_wake();
}

/* Constructed, into a magazine. False: it is still the caller's. */
static bool park(struct kma_cache *cache, void *object)
{
	struct kma_thread *self = kma_thread_enter();
	struct kma_magazine *surplus = NULL;
	struct kma_buffer buffer;
	bool parked = false;

	kma_fork_check();
	if (self && !kma_thread_nested(self) && cache->magazine_size &&
	    !kma_wait_any() && kma_visit_none() &&
	    kma_buffer_find_in(cache, (uintptr_t)object, &buffer) &&
	    buffer.slab->cache == cache &&
	    !kma_client_is_filled(buffer.slab->tier) &&
	    find_object(cache, object, &buffer)) {
		parked = true;
		if (undress(&buffer, object) &&
		    !kma_magazine_park(self, cache, buffer.slab->tier,
				       (void *)buffer.start, &surplus))
			put_in_slab(cache, buffer.start, false);
	}
	kma_thread_leave(self);
	if (surplus)
		kma_client_empty(cache, surplus);
	return parked;
}

static void check_put(const struct kma_cache *cache, const void *object)
{
	if (kma_reap_is_moving(object))
		kma_report(&(struct kma_report){
			.code = KMA_ERROR_BUSY,
			.function = kma_client_function(cache->client, false),
			.address = (uintptr_t)object,
			.detail = "the move callback may not free it",
		});
	if (kma_intr_depth_now() && !(cache->client->flags & KMA_INTR_SAFE))
		kma_intr_refuse(kma_client_function(cache->client, false),
				cache->name);
}

/* Destructed, into its slab. */
void kma_client_free_now(struct kma_cache *cache, void *object)
{
	struct kma_buffer buffer;

	if (cache->client->destruct) {
		if (!find_object(cache, object, &buffer))
			return;
		kma_client_destruct(cache->client, object);
	}
	kma_client_put_back(cache, object);
}

__attribute__((noinline)) static void free_checked(struct kma_cache *cache,
						   void *object)
{
	if (!kma_client_check(cache, "kma_cache_free"))
		return;
	check_put(cache, object);
	if (!park(cache, object))
		kma_client_free_now(cache, object);
}

KMA_ENTRY void kma_cache_free(struct kma_cache *cache, void *object)
{
	if (!kma_fast_client_put(cache, object))
		free_checked(cache, object);
}

void kma_cache_free_now(struct kma_cache *cache, void *object)
{
	if (!kma_client_check(cache, "kma_cache_free_now"))
		return;
	check_put(cache, object);
	kma_client_free_now(cache, object);
}
