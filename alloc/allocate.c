/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slow half of every allocation, and above tier off the only one;
 * release.c has what is given back.
 *
 * A call that is nested (a signal handler came in while its thread was in
 * here) takes no lock that it would have to wait for: the thread it
 * interrupted may hold it. It gets a buffer of a slab whose cache is free at
 * the moment, of its own class or of a larger one, or NULL.
 */
#include "alloc/allocate.h"

#include "alloc/audit.h"
#include "alloc/clock.h"
#include "alloc/deferred.h"
#include "alloc/fast_audit.h"
#include "alloc/fork.h"
#include "alloc/guard.h"
#include "alloc/inject.h"
#include "alloc/lite.h"
#include "alloc/log.h"
#include "alloc/magazine.h"
#include "alloc/magazine_depot.h"
#include "alloc/root.h"
#include "alloc/sample.h"
#include "alloc/slab.h"
#include "alloc/stack.h"
#include "alloc/sys.h"
#include "alloc/thread.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* kmem_alloc's alone may be 8-aligned. */
static struct kma_cache *cache_of(const struct kma_request *request,
				  enum kma_tier tier)
{
	if (request->size <= 8 && kma_family_is_kernel(request->family))
		return kma_caches[0];
	return kma_cache_for(request->size, request->align, tier);
}

static void *take_from_slabs(struct kma_cache *cache, enum kma_tier tier)
{
	void *start = NULL;

	kma_lock_acquire(&cache->lock);
	if (kma_slab_take(cache, tier, &start, 1, true))
		cache->alloc++;
	kma_lock_release(&cache->lock);
	return start;
}

/* Nested: from this cache or a larger one that nobody holds. */
static void *take_nested(struct kma_cache *cache, enum kma_tier tier)
{
	void *start = NULL;

	for (; cache->bufsize && !start; cache = cache->next) {
		if (!kma_lock_try(&cache->lock))
			continue;
		if (kma_slab_take(cache, tier, &start, 1, false))
			cache->alloc++;
		kma_lock_release(&cache->lock);
	}
	return start;
}

bool kma_cache_take(struct kma_cache *cache, enum kma_tier tier,
		    struct kma_buffer *ret)
{
	struct kma_thread *self = kma_self;
	void *start = NULL;

	if (kma_thread_nested(self))
		start = take_nested(cache, tier);
	else if (self)
		start = kma_magazine_take(self, cache, tier);
	if (!start && !kma_thread_nested(self))
		start = take_from_slabs(cache, tier);
	return start && kma_buffer_find((uintptr_t)start, ret);
}

static void *dress(const struct kma_buffer *buffer,
		   const struct kma_request *request)
{
	void *p = (void *)buffer->start;

	if (buffer->slab->bufctls)
		return kma_audit_alloc(buffer, request->size, request->align,
				       request->family, request->zero);
	if (buffer->slab->words &&
	    !kma_lite_alloc(buffer, request->size, request->family))
		return NULL;
	if (request->zero && !buffer->slab->zeroed)
		memset(p, 0, request->size);
	return p;
}

/*
 * Zeros for a large request: the kernel's, as long as the program has touched
 * little of what it asked for, are cheaper than ours.
 */
static void zero_by_kernel(const struct kma_buffer *buffer, size_t size)
{
	enum { WORTH_IT = 8 << 20 };
	struct kma_slab *slab = buffer->slab;

	if (size < WORTH_IT || slab->zeroed)
		return;
	if (sys_madvise(slab->base, slab->pages << KMA_PAGE_SHIFT,
			MADV_DONTNEED) == 0)
		slab->zeroed = true;
}

/*
 * No pages can be had for a nested call at tier guard. It takes an audited
 * buffer, so that there must be a slab with one before it comes.
 */
static void keep_for_nested(struct kma_cache *cache)
{
	struct kma_slab **slabs = cache->slabs[KMA_TIER_AUDIT];
	void *start;

	if (!cache->bufsize || slabs[KMA_SLABS_PARTIAL] ||
	    slabs[KMA_SLABS_EMPTY])
		return;
	kma_lock_acquire(&cache->lock);
	if (kma_slab_take(cache, KMA_TIER_AUDIT, &start, 1, true))
		kma_slab_put(cache, start, false);
	kma_lock_release(&cache->lock);
}

static bool take_at(const struct kma_request *request, enum kma_tier tier,
		    struct kma_thread *self, struct kma_buffer *ret)
{
	struct kma_cache *cache = cache_of(request, tier);
	bool taken = false;

	if (tier == KMA_TIER_GUARD) {
		if (kma_thread_nested(self))
			return false;
		keep_for_nested(cache);
		return kma_guard_take(cache, request->size, request->align,
				      ret);
	}
	if (cache->bufsize)
		taken = kma_cache_take(cache, tier, ret);
	else if (!kma_thread_nested(self))
		taken = kma_large_take(request->size, request->align, tier,
				       ret);
	if (taken && request->zero && !cache->bufsize)
		zero_by_kernel(ret, request->size);
	return taken;
}

/* All are counted, also those of which it is known. */
static bool is_sample(const struct kma_request *request,
		      struct kma_thread *self, const struct kma_cache *cache,
		      enum kma_tier tier)
{
	bool is_due = kma_sample_take(self, cache, tier, request->size);

	return request->sample == KMA_SAMPLE_IF_DUE
		       ? is_due
		       : request->sample == KMA_SAMPLE_ALWAYS;
}

/* The cache's; a sample's where the cache has none better. */
static enum kma_tier tier_for(const struct kma_request *request,
			      struct kma_thread *self)
{
	const struct kma_cache *cache = cache_of(request, KMA_TIER_OFF);
	enum kma_tier tier = __atomic_load_n(&cache->tier, __ATOMIC_ACQUIRE);

	if (self && !kma_thread_nested(self) && tier < kma_root.sample_tier &&
	    is_sample(request, self, cache, tier))
		return kma_root.sample_tier;
	return tier;
}

/* Where no page can be guarded, an audited buffer is the next best. */
static bool take(const struct kma_request *request, enum kma_tier tier,
		 struct kma_thread *self, struct kma_buffer *ret)
{
	if (take_at(request, tier, self, ret))
		return true;
	return tier == KMA_TIER_GUARD &&
	       take_at(request, KMA_TIER_AUDIT, self, ret);
}

/* What this thread, the depots and the quarantines keep, back to the slabs;
 * empty slabs back to the heap. Caches of clients keep theirs as their clients
 * want it. */
static void reap(struct kma_thread *self)
{
	for (unsigned i = 0; i < kma_cache_count; i++) {
		struct kma_cache *cache = kma_caches[i];

		if (!cache->bufsize || cache->client)
			continue;
		if (self)
			kma_magazine_steal(self, cache);
		kma_magazine_drain(cache);
	}
	kma_large_drain();
	kma_guard_drain();
}

/* The heap is at its limit or its end: what the caches keep may be missing. */
static bool take_after_reap(const struct kma_request *request,
			    enum kma_tier tier, struct kma_thread *self,
			    struct kma_buffer *ret)
{
	if (kma_thread_nested(self) || !kma_pages_could_hold(request->size))
		return false;
	reap(self);
	return take(request, tier, self, ret);
}

/* Once a request, however often it was tried. */
static void note_failure(const struct kma_request *request)
{
	struct kma_cache *cache = cache_of(request, KMA_TIER_OFF);

	__atomic_add_fetch(&cache->alloc_fail, 1, __ATOMIC_RELAXED);
	if (kma_log_keeps_failures())
		kma_log_failure(kma_clock_now(), request->size,
				kma_stack_intern(KMA_STACK_OF_ALLOC),
				cache->index);
}

/* A sample of one of malloc's classes is what fast_audit.h serves, too, as long
 * as the thread has a round of it. NULL: go the long way. */
static void *take_sample(const struct kma_request *request, enum kma_tier tier,
			 struct kma_thread *self)
{
	const struct kma_cache *cache = cache_of(request, KMA_TIER_AUDIT);

	if (tier != KMA_TIER_AUDIT || !self || kma_thread_nested(self) ||
	    self->special != KMA_THREAD_SAMPLED || !cache->bufsize ||
	    request->align > 16 || kma_family_is_kernel(request->family))
		return NULL;
	return fast_take_audit(self, &self->audit_magsets[cache->index],
			       request->size, request->family, request->zero,
			       true);
}

/* NULL: it cannot be had. */
static void *try_allocate(const struct kma_request *request,
			  struct kma_thread *self)
{
	struct kma_buffer buffer;
	enum kma_tier tier;
	void *p = NULL;

	if (request->must || !kma_inject_into(self)) {
		tier = tier_for(request, self);
		p = take_sample(request, tier, self);
		if (!p && (take(request, tier, self, &buffer) ||
			   take_after_reap(request, tier, self, &buffer)))
			p = dress(&buffer, request);
	}
	if (!p)
		note_failure(request);
	return p;
}

static void *allocate(const struct kma_request *request)
{
	struct kma_thread *self = kma_thread_enter();
	void *p = NULL;

	if (request->size <= PTRDIFF_MAX && (self || kma_init())) {
		kma_fork_check();
		if (kma_deferred_count && !kma_thread_nested(self))
			kma_deferred_drain();
		p = try_allocate(request, self);
	}
	kma_thread_leave(self);
	if (!p)
		errno = ENOMEM;
	return p;
}

/* From the thread's magazine, and nothing that has to be asked about. NULL, and
 * nothing done: it is not that. */
KMA_FAST void *fast_allocate(size_t size, enum kma_family family, bool zero)
{
	struct kma_thread *self = fast_quiet_thread();
	void *p;

	if (__builtin_expect(!self || size > KMA_CACHED_MAX, 0))
		return NULL;
	p = fast_lite_allocate(self, size, family);
	if (!p)
		return fast_audit_allocate(self, size, family, zero);
	if (zero)
		memset(p, 0, size);
	return p;
}

void *kma_allocate(const struct kma_request *request)
{
	void *p = NULL;

	if (request->align <= 16 &&
	    (!kma_family_is_kernel(request->family) || request->size > 8))
		p = fast_allocate(request->size, request->family,
				  request->zero);
	return p ? p : allocate(request);
}

void *kma_allocate_size(size_t size, enum kma_family family)
{
	void *p = fast_allocate(size, family, false);

	if (p)
		return p;
	return allocate(&(struct kma_request){
		.size = size,
		.align = 16,
		.family = family,
	});
}

size_t kma_trim(void)
{
	struct kma_thread *self = kma_thread_enter();
	size_t trimmed = 0;

	if (!kma_thread_nested(self) && kma_init()) {
		reap(self);
		trimmed = kma_pages_trim();
	}
	kma_thread_leave(self);
	return trimmed;
}
