/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects out of a client's cache.
 *
 *	magazine --> object (constructed)
 *	slab --> constructor --> object
 *	neither: the drain hook, the magazines of other threads, then sleep
 */
#include "alloc/client.h"

#include "alloc/allocate.h"
#include "alloc/audit.h"
#include "alloc/deferred.h"
#include "alloc/fast_kernel.h"
#include "alloc/fork.h"
#include "alloc/guard.h"
#include "alloc/inject.h"
#include "alloc/intr.h"
#include "alloc/lite.h"
#include "alloc/magazine.h"
#include "alloc/reap.h"
#include "alloc/report.h"
#include "alloc/slab.h"
#include "alloc/thread.h"
#include "alloc/visit.h"
#include "alloc/wait.h"
#include "alloc/word.h"

#include <errno.h>
#include <string.h>

/* --- callbacks --------------------------------------------------------------
 */

int kma_client_flags(const struct kma_client *client, unsigned flags)
{
	bool sleeps = flags & KMA_SLEEP;

	switch (client->personality) {
	case KMA_NETBSD:
		return sleeps ? 0x1 : 0x2; /* PR_WAITOK, PR_NOWAIT */
	case KMA_ILLUMOS:
	case KMA_BSD:
		return sleeps ? 0 : 1; /* KM_SLEEP, KM_NOSLEEP; M_WAITOK .. */
	default:
		return sleeps ? KMA_SLEEP : KMA_NOSLEEP;
	}
}

int kma_client_construct(const struct kma_client *client, void *object,
			 unsigned flags)
{
	int own = kma_client_flags(client, flags);

	return client->personality == KMA_NETBSD
		       ? client->construct(client->arg, object, own)
		       : client->construct(object, client->arg, own);
}

void kma_client_destruct(const struct kma_client *client, void *object)
{
	if (client->personality == KMA_NETBSD)
		client->destruct(client->arg, object);
	else
		client->destruct(object, client->arg);
}

const char *kma_client_function(const struct kma_client *client, bool get)
{
	if (client->personality == KMA_ILLUMOS)
		return get ? "kmem_cache_alloc" : "kmem_cache_free";
	if (client->personality != KMA_NETBSD)
		return get ? "kma_cache_alloc" : "kma_cache_free";
	if (client->flags & KMA_POOL)
		return get ? "pool_get" : "pool_put";
	return get ? "pool_cache_get" : "pool_cache_put";
}

/* --- checks -----------------------------------------------------------------
 */

bool kma_client_check(const struct kma_cache *cache, const char *function)
{
	if (cache && cache->client && cache->client->state == KMA_CLIENT_LIVE)
		return true;
	kma_report(&(struct kma_report){
		.code = KMA_ERROR_BADCACHE,
		.function = function,
		.address = (uintptr_t)cache,
		.detail = cache && cache->client ? "the cache was destroyed"
						 : "no cache of a client's" });
	return false;
}

/* The caller has not entered: who is inside was interrupted there. */
static bool is_in_handler(void)
{
	return kma_intr_depth_now() || kma_thread_inside(kma_self);
}

/* May the call be, where it is? SLEEP is taken back where it may not be. */
static bool check_call(const struct kma_cache *cache, unsigned *flags)
{
	const char *function = kma_client_function(cache->client, true);

	if (!kma_flags_fit(*flags, function))
		return false;
	if (!is_in_handler())
		return true;
	if (*flags & KMA_SLEEP || !(cache->client->flags & KMA_INTR_SAFE)) {
		kma_intr_refuse(function, cache->name);
		*flags = (*flags & ~(unsigned)KMA_SLEEP) | KMA_NOSLEEP;
	}
	return true;
}

/* --- taking -----------------------------------------------------------------
 */

/* From a slab; nested: only if nobody holds it, and no new one. */
static void *take_from_slab(struct kma_cache *cache, enum kma_tier tier,
			    bool nested)
{
	void *start = NULL;

	if (nested && !kma_lock_try(&cache->lock))
		return NULL;
	if (!nested)
		kma_lock_acquire(&cache->lock);
	cache->alloc += kma_slab_take(cache, tier, &start, 1, !nested);
	kma_lock_release(&cache->lock);
	return start;
}

static bool guard_take(struct kma_cache *cache, struct kma_buffer *ret)
{
	bool room;

	kma_lock_acquire(&cache->lock);
	room = cache->out < cache->limit;
	cache->out += room;
	kma_lock_release(&cache->lock);
	if (!room)
		return false;
	if (kma_guard_take(cache, cache->client->size, cache->align, ret))
		return true;
	kma_lock_acquire(&cache->lock);
	cache->out--;
	kma_lock_release(&cache->lock);
	return false;
}

/* What an object comes as. */
struct taken {
	struct kma_buffer buffer;
	bool is_constructed;
};

static bool take(struct kma_cache *cache, struct taken *ret)
{
	struct kma_thread *self = kma_self;
	bool nested = kma_thread_nested(self);
	enum kma_tier tier = __atomic_load_n(&cache->tier, __ATOMIC_ACQUIRE);
	void *start = NULL;

	ret->is_constructed = false;
	if (tier == KMA_TIER_GUARD && !nested &&
	    guard_take(cache, &ret->buffer))
		return true;
	if (tier == KMA_TIER_GUARD)
		tier = KMA_TIER_AUDIT;
	if (self && !nested && cache->magazine_size && kma_visit_none()) {
		if (!kma_client_is_filled(tier))
			start = kma_magazine_take_parked(self, cache, tier);
		else
			start = kma_magazine_take(self, cache, tier);
		ret->is_constructed = start && !kma_client_is_filled(tier);
	}
	if (!start)
		start = take_from_slab(cache, tier, nested);
	return start &&
	       kma_buffer_find_in(cache, (uintptr_t)start, &ret->buffer);
}

/* The object for the program, recorded as the tier does. */
static void *dress(struct kma_cache *cache, const struct kma_buffer *buffer)
{
	size_t size = cache->client->size;

	if (buffer->slab->tier == KMA_TIER_GUARD)
		return kma_audit_alloc(buffer, size, cache->align,
				       KMA_FAMILY_CACHE, false);
	if (buffer->bufctl)
		return kma_audit_alloc(buffer, size, 1, KMA_FAMILY_CACHE,
				       false);
	if (buffer->slab->words &&
	    !kma_lite_alloc(buffer, size, KMA_FAMILY_CACHE))
		return NULL;
	return (void *)buffer->start;
}

/* Constructed if it is not; NULL: that failed. */
static void *finish(struct kma_cache *cache, void *object, bool is_constructed,
		    unsigned flags)
{
	struct kma_client *client = cache->client;

	if (flags & KMA_ZERO)
		memset(object, 0, client->size);
	if (is_constructed || !client->construct ||
	    kma_client_construct(client, object, flags) == 0)
		return object;
	__atomic_add_fetch(&client->construct_fails, 1, __ATOMIC_RELAXED);
	kma_client_put_back(cache, object);
	if (flags & KMA_SLEEP)
		kma_report(&(struct kma_report){
			.code = KMA_ERROR_CTORFAIL,
			.function = kma_client_function(client, true),
			.detail = cache->name,
			.may_go_on = true,
		});
	return NULL;
}

/* One try. *ret: the object, dressed but not finished. */
static bool try_take(struct kma_cache *cache, struct taken *taken, void **ret)
{
	struct kma_thread *self = kma_thread_enter();

	kma_fork_check();
	if (kma_deferred_count && !kma_thread_nested(self))
		kma_deferred_drain();
	*ret = take(cache, taken) ? dress(cache, &taken->buffer) : NULL;
	kma_thread_leave(self);
	return *ret != NULL;
}

static bool is_at_limit(const struct kma_cache *cache)
{
	return __atomic_load_n(&cache->out, __ATOMIC_RELAXED) >=
	       __atomic_load_n(&cache->limit, __ATOMIC_RELAXED);
}

/* --- short of objects -------------------------------------------------------
 */

struct shortage {
	struct kma_cache *cache;
	unsigned flags;
	struct taken taken;
	void *object;
};

static bool attempt(void *context)
{
	struct shortage *shortage = context;
	struct kma_cache *cache = shortage->cache;

	if (try_take(cache, &shortage->taken, &shortage->object))
		return true;
	return kma_client_is_foreign(cache) && !is_at_limit(cache) &&
	       !is_in_handler() && kma_client_import(cache, shortage->flags) &&
	       try_take(cache, &shortage->taken, &shortage->object);
}

void kma_client_run_drain_hook(const struct kma_cache *cache, unsigned flags)
{
	const struct kma_client *client = cache->client;

	if (client->drain)
		client->drain(client->drain_arg,
			      kma_client_flags(client, flags));
}

static void relieve(void *context)
{
	const struct shortage *shortage = context;

	kma_client_drain(shortage->cache, true);
	if (!is_at_limit(shortage->cache))
		kma_reap_everything();
}

/* At the limit others may free; else the heap must be able to hold a slab. */
static bool possible(void *context)
{
	const struct shortage *shortage = context;
	const struct kma_cache *cache = shortage->cache;
	size_t pages = kma_pages_limit();

	if (cache->limit == 0)
		return false;
	return is_at_limit(cache) || pages == 0 ||
	       cache->bufsize <= pages << KMA_PAGE_SHIFT;
}

static void warn_at_limit(struct kma_cache *cache)
{
	struct kma_client *client = cache->client;
	uint64_t now = kma_client_time(), last = client->warned;

	__atomic_add_fetch(&client->limit_fails, 1, __ATOMIC_RELAXED);
	if (!client->warning[0] || (last && now - last < client->warning_gap) ||
	    !__atomic_compare_exchange_n(&client->warned, &last, now, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	kma_message(client->warning);
}

static void *fail(struct kma_cache *cache, unsigned flags)
{
	__atomic_add_fetch(&cache->alloc_fail, 1, __ATOMIC_RELAXED);
	if (is_at_limit(cache))
		warn_at_limit(cache);
	if (flags & KMA_PANIC)
		kma_report(&(struct kma_report){
			.code = KMA_ERROR_LIMIT,
			.function = kma_client_function(cache->client, true),
			.detail = cache->name });
	errno = ENOMEM;
	return NULL;
}

static bool sleep_for(struct shortage *shortage)
{
	struct kma_cache *cache = shortage->cache;

	__atomic_add_fetch(&cache->client->waits, 1, __ATOMIC_RELAXED);
	return kma_wait_until(&(struct kma_wanted){
		.kind = is_at_limit(cache) ? KMA_WAIT_CACHE : KMA_WAIT_HEAP,
		.name = is_at_limit(cache) ? cache->name : "the heap",
		.function = kma_client_function(cache->client, true),
		.size = cache->client->size,
		.attempt = attempt,
		.possible = possible,
		.relieve = relieve,
		.context = shortage,
	});
}

/* The hook first, then what other threads keep, before anybody sleeps. */
static bool relieved(struct shortage *shortage)
{
	if (is_in_handler())
		return false;
	kma_client_run_drain_hook(shortage->cache, shortage->flags);
	if (attempt(shortage))
		return true;
	kma_client_drain(shortage->cache, true);
	return attempt(shortage);
}

void *kma_client_adopt(struct kma_cache *cache, void *start)
{
	struct kma_thread *self = kma_thread_enter();
	struct kma_buffer buffer;
	void *object = NULL;

	if (kma_buffer_find_in(cache, (uintptr_t)start, &buffer))
		object = dress(cache, &buffer);
	kma_thread_leave(self);
	return object ? finish(cache, object, false, KMA_NOSLEEP) : NULL;
}

/* As if there were no memory; of calls that may fail. */
static bool is_to_fail(void)
{
	struct kma_thread *self = kma_thread_enter();
	bool fails = kma_inject_into(self);

	kma_thread_leave(self);
	return fails;
}

static void *allocate(struct kma_cache *cache, unsigned flags)
{
	struct shortage shortage = { .cache = cache, .flags = flags };

	if (!(flags & KMA_SLEEP) && is_to_fail())
		return fail(cache, flags);
	if (!attempt(&shortage) && !relieved(&shortage)) {
		bool sleeps = flags & KMA_SLEEP;

		if (sleeps && flags & KMA_LIMITFAIL && is_at_limit(cache))
			sleeps = false;
		if (!sleeps || !sleep_for(&shortage))
			return fail(cache, flags);
	}
	if (cache->client->low)
		kma_client_keep_low(cache);
	return finish(cache, shortage.object, shortage.taken.is_constructed,
		      flags);
}

__attribute__((noinline)) static void *allocate_checked(struct kma_cache *cache,
							unsigned flags)
{
	if (!kma_client_check(cache, "kma_cache_alloc") ||
	    !check_call(cache, &flags))
		return NULL;
	return allocate(cache, flags);
}

KMA_ENTRY void *kma_cache_alloc(struct kma_cache *cache, unsigned flags)
{
	void *p = kma_fast_client_take(cache, flags);

	return __builtin_expect(p != NULL, 1) ? p
					      : allocate_checked(cache, flags);
}
