/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is given back, on the slow way, and above tier off on the only one: is
 * it a buffer, does it come back as it should, and where to put it. A call that
 * is nested (allocate.c) puts it back if the cache is free at the moment, and
 * defers it otherwise.
 */
#include "alloc/allocate.h"

#include "alloc/audit.h"
#include "alloc/client.h"
#include "alloc/deferred.h"
#include "alloc/fast_audit.h"
#include "alloc/foreign.h"
#include "alloc/fork.h"
#include "alloc/lite.h"
#include "alloc/magazine.h"
#include "alloc/report.h"
#include "alloc/slab.h"
#include "alloc/thread.h"
#include "alloc/wait.h"
#include "alloc/word.h"

#include <errno.h>
#include <stdint.h>

void kma_report_bad_free(uintptr_t start, const char *function)
{
	struct kma_buffer buffer;
	struct kma_report report = { .code = KMA_ERROR_BADADDR,
				     .address = start,
				     .function = function };

	if (kma_buffer_find(start, &buffer)) {
		report.code = buffer.start == start ? KMA_ERROR_DUPFREE
						    : KMA_ERROR_BADBASE;
		report.buffer = &buffer;
	}
	kma_report(&report);
}

/* False: it is free there already, or no buffer. */
static bool put_in_slab(struct kma_cache *cache, void *start)
{
	kma_lock_acquire(&cache->lock);
	bool put = kma_slab_put(cache, start, true);

	cache->free += put;
	kma_lock_release(&cache->lock);
	return put;
}

static void put_nested(struct kma_cache *cache, void *start)
{
	if (!kma_lock_try(&cache->lock)) {
		kma_deferred_put(cache, (uintptr_t)start);
		return;
	}
	cache->free += kma_slab_put(cache, start, false);
	kma_lock_release(&cache->lock);
}

void kma_cache_put(const struct kma_buffer *buffer)
{
	struct kma_thread *self = kma_self;
	struct kma_cache *cache = buffer->slab->cache;
	enum kma_tier tier = buffer->slab->tier;
	void *start = (void *)buffer->start;

	if (kma_thread_nested(self))
		put_nested(cache, start);
	else if (!self || kma_wait_any() ||
		 !kma_magazine_put(self, cache, tier, start))
		if (!put_in_slab(cache, start))
			kma_report_bad_free(buffer->start, "free");
}

static inline void put(const struct kma_buffer *buffer, struct kma_thread *self)
{
	if (buffer->slab->cache->client)
		kma_client_give_back(buffer);
	else if (buffer->slab->kind == KMA_PAGE_SLAB)
		kma_cache_put(buffer);
	else if (kma_thread_nested(self))
		kma_deferred_put(buffer->slab->cache, buffer->start);
	else
		kma_large_put(buffer);
}

void kma_deferred_drain(void)
{
	struct kma_buffer buffer;
	struct kma_cache *cache;
	uintptr_t start;

	while (kma_deferred_take(&cache, &start))
		if (kma_buffer_find_in(cache, start, &buffer))
			put(&buffer, kma_self);
}

/* A buffer of a client's cache goes back to that cache alone. */
__attribute__((noinline)) static void
report_client(const void *p, const char *function,
	      const struct kma_buffer *buffer)
{
	kma_report(&(struct kma_report){
		.code = KMA_ERROR_BADCACHE,
		.address = (uintptr_t)p,
		.function = function,
		.buffer = buffer,
		.detail = buffer->slab->cache->name,
	});
}

__attribute__((noinline)) static void
report_no_start(const void *p, const char *function,
		const struct kma_buffer *buffer)
{
	struct kma_buffer object, behind;

	if (kma_foreign_find((uintptr_t)p, &object)) {
		report_client(p, function, &object);
		return;
	}
	if (!buffer && kma_word_find_behind((uintptr_t)p, &behind))
		buffer = &behind;
	kma_report(&(struct kma_report){
		.code = buffer ? KMA_ERROR_BADBASE : KMA_ERROR_BADADDR,
		.address = (uintptr_t)p,
		.function = function,
		.buffer = buffer,
	});
}

/* In line where it is in every free()'s way. */
static inline bool find_buffer(const void *p, const char *function,
			       struct kma_buffer *ret)
{
	bool found = kma_buffer_find((uintptr_t)p, ret);

	if (found && __builtin_expect(ret->slab->cache->client != NULL, 0)) {
		report_client(p, function, ret);
		return false;
	}
	if (__builtin_expect(
		    found && (kma_word_of(ret) || ret->start == (uintptr_t)p),
		    1))
		return true;
	report_no_start(p, function, found ? ret : NULL);
	return false;
}

bool kma_buffer_of(const void *p, const char *function, struct kma_buffer *ret)
{
	return find_buffer(p, function, ret);
}

/* Does the buffer come back as it should? Else it was reported. */
static bool accept(const struct kma_buffer *buffer, uintptr_t user, size_t size,
		   enum kma_family family, const char *function)
{
	if (buffer->slab->bufctls)
		return kma_audit_free(buffer, user, size, family, function);
	if (buffer->slab->words)
		return kma_lite_free(buffer, user, size, family, function);
	return true;
}

/* Into the thread's magazine, likewise. */
KMA_FAST bool fast_release(void *p, size_t size, enum kma_family family)
{
	struct kma_thread *self = fast_quiet_thread();
	uint64_t word = kma_pages_lookup((uintptr_t)p);

	if (__builtin_expect(!self, 0) ||
	    __builtin_expect(word >> KMA_PAGE_CACHE_SHIFT >= self->free_caches,
			     0))
		return false;
	if ((word & FAST_CLASS_MASK) == FAST_CLASS_AUDIT)
		return fast_audit_release(self, word, p, size, family);
	return (word & FAST_CLASS_MASK) == FAST_CLASS_LITE &&
	       fast_lite_release(self, word, p, size, family);
}

static void release(void *p, size_t size, enum kma_family family,
		    const char *function)
{
	struct kma_buffer buffer;
	int saved_errno = errno;
	struct kma_thread *self = kma_thread_enter();

	kma_fork_check();
	if (kma_deferred_count && !kma_thread_nested(self))
		kma_deferred_drain();
	if (find_buffer(p, function, &buffer) &&
	    accept(&buffer, (uintptr_t)p, size, family, function))
		put(&buffer, self);
	kma_thread_leave(self);
	kma_wait_wake();
	errno = saved_errno;
}

void kma_release(void *p, size_t size, enum kma_family family,
		 const char *function)
{
	if (!fast_release(p, size, family) && p)
		release(p, size, family, function);
}
