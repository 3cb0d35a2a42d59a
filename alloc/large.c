/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large buffers: above KMA_CACHED_MAX, or aligned beyond what a slab can give.
 * Each has its own pages and a slab header of one buffer.
 *
 * At tier audit the user's pointer has at least a canary before it and a
 * redzone behind it, and a freed buffer waits in a short queue before its
 * pages go, so that a second free is known for what it is. Of samples so little
 * waits, and as it is, that the program still finds its pages in the
 * processor's cache: among large buffers half may be samples.
 *
 * A buffer of tier off that outgrows its place takes its pages along (mremap):
 * the old place stays mapped, empty. Each such move can leave another mapping
 * in the heap, of which a process has a limited number, so it has to be worth
 * it. The kernel takes the new place's memory away before it finds that it
 * cannot move there: where a limit leaves nothing, which is asked for before;
 * where the program has cut the buffer into several mappings (mlock, madvise),
 * before Linux 6.17, after which there is to be memory again.
 */
#include "alloc/cache.h"

#include "alloc/audit.h"
#include "alloc/guard.h"
#include "alloc/hollow.h"
#include "alloc/range.h"
#include "alloc/slab.h"
#include "alloc/slab_queue.h"
#include "alloc/sys.h"

#include <errno.h>
#include <sys/mman.h>

static const size_t carry_over_min = 1 << 20;

enum { QUEUE_SIZE = 64 };
static const size_t queue_bytes_max = 32 << 20;
static const size_t queue_bytes_max_sampled = 256 << 10;

static void release(struct kma_slab *slab);

/* Freed buffers of tier audit. */
static struct kma_slab *ring[QUEUE_SIZE];
static struct kma_slab_queue queue = {
	.slab = ring,
	.size = QUEUE_SIZE,
	.release = release,
};

static bool is_dressed(enum kma_tier tier)
{
	return tier == KMA_TIER_AUDIT;
}

/* What a request has behind it. */
static size_t redzone_of(enum kma_tier tier)
{
	return is_dressed(tier) ? KMA_REDZONE_MIN + KMA_CANARY_SIZE : 0;
}

static size_t pages_of(size_t bytes)
{
	return (bytes >> KMA_PAGE_SHIFT) + ((bytes & (KMA_PAGE_SIZE - 1)) != 0);
}

static void set_words(const struct kma_slab *slab, uintptr_t base, size_t pages)
{
	kma_pages_set(base, pages,
		      kma_pages_word(slab, KMA_PAGE_LARGE, slab->tier,
				     slab->cache->index));
}

/*
 * Where the buffer starts in its pages, and how many bytes it needs. Page zero
 * of an aligned audited buffer is never touched but for its canary.
 */
static bool measure(size_t size, size_t align, enum kma_tier tier,
		    size_t *first, size_t *bytes)
{
	*first = 0;
	if (is_dressed(tier))
		*first = align > 16 ? align : 16;
	return !__builtin_add_overflow(size, *first + redzone_of(tier),
				       bytes) &&
	       *bytes <= PTRDIFF_MAX;
}

bool kma_large_take(size_t size, size_t align, enum kma_tier tier,
		    struct kma_buffer *ret)
{
	size_t first, bytes;
	bool zeroed;

	if (!measure(size, align, tier, &first, &bytes))
		return false;

	size_t pages = bytes ? pages_of(bytes) : 1;
	uintptr_t base = kma_pages_alloc(
		pages, align > KMA_PAGE_SIZE ? align : KMA_PAGE_SIZE, &zeroed);

	if (!base)
		return false;

	struct kma_slab *slab = kma_slab_create_large(
		kma_cache_oversize(), base, pages, first, tier, zeroed);

	if (!slab) {
		kma_pages_free(base, pages);
		return false;
	}
	set_words(slab, base, pages);
	ret->slab = slab;
	ret->index = 0;
	ret->start = base + first;
	ret->bufctl = slab->bufctls;
	return true;
}

static void discard(struct kma_slab *slab)
{
	kma_pages_free(slab->base, slab->pages);
	kma_slab_destroy_large(slab);
}

static void release(struct kma_slab *slab)
{
	kma_audit_evict(slab);
	discard(slab);
}

void kma_large_drain(void)
{
	kma_slab_queue_drain(&queue);
}

size_t kma_large_quarantined(void)
{
	return kma_slab_queue_oversize(&queue);
}

void kma_large_put(const struct kma_buffer *buffer)
{
	struct kma_slab *slab = buffer->slab;
	size_t bytes_max =
		slab->sampled ? queue_bytes_max_sampled : queue_bytes_max;

	kma_lock_acquire(&slab->cache->lock);
	slab->cache->free++;
	kma_lock_release(&slab->cache->lock);
	if (slab->tier == KMA_TIER_GUARD)
		kma_guard_put(slab);
	else if (!is_dressed(slab->tier) || kma_slab_bytes(slab) > bytes_max)
		discard(slab);
	else {
		if (!slab->sampled)
			kma_hollow_make(buffer);
		kma_slab_queue_put(&queue, slab, bytes_max);
	}
}

bool kma_large_resize(const struct kma_buffer *buffer, size_t size)
{
	struct kma_slab *slab = buffer->slab;
	struct kma_lock *lock = &slab->cache->lock;
	size_t old = slab->pages, pages, bytes;

	if (__builtin_add_overflow(size, slab->first + redzone_of(slab->tier),
				   &bytes))
		return false;
	pages = pages_of(bytes);
	if (pages == old)
		return true;
	if (pages == 0 || !kma_pages_resize(slab->base, old, pages))
		return false;
	kma_lock_acquire(lock);
	slab->pages = pages;
	slab->stride = kma_slab_bytes(slab) - slab->first;
	slab->zeroed = false;
	slab->cache->pages += pages - old;
	kma_lock_release(lock);
	if (pages < old) {
		kma_arena_gave(KMA_ACCOUNT_OVERSIZE, (old - pages)
							     << KMA_PAGE_SHIFT);
	} else {
		kma_arena_took(KMA_ACCOUNT_OVERSIZE, (pages - old)
							     << KMA_PAGE_SHIFT);
		set_words(slab, slab->base + (old << KMA_PAGE_SHIFT),
			  pages - old);
	}
	return true;
}

static bool is_plain(void *p, struct kma_buffer *ret)
{
	return kma_buffer_find((uintptr_t)p, ret) &&
	       ret->slab->kind == KMA_PAGE_LARGE &&
	       ret->slab->tier == KMA_TIER_OFF && ret->start == (uintptr_t)p;
}

static bool is_gone(uintptr_t page)
{
	unsigned char there;

	return sys_mincore(page, KMA_PAGE_SIZE, &there) == -ENOMEM;
}

enum kma_carried kma_large_carry_over(void *to, void *from, size_t bytes)
{
	size_t size = pages_of(bytes) << KMA_PAGE_SHIFT;
	struct kma_buffer target, source;

	if (size < carry_over_min || !is_plain(to, &target) ||
	    !is_plain(from, &source) || size > kma_slab_bytes(target.slab) ||
	    size > kma_slab_bytes(source.slab) || kma_mappings_are_limited())
		return KMA_CARRIED_NOT;
	if (sys_call(SYS_mremap, (long)source.start, (long)size, (long)size,
		     MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
		     (long)target.start, 0) == (long)target.start)
		return KMA_CARRIED;
	return is_gone(target.start) && !sys_map_anew(target.start, size)
		       ? KMA_CARRIED_LOST
		       : KMA_CARRIED_NOT;
}
