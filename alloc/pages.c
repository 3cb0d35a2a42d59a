/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs of pages.
 *
 *	heap.base          top                committed               heap.end
 *	| slabs, large buffers, free runs | fresh |     not usable yet    |
 *
 * Pages below top have been handed out at least once; those from top on are
 * untouched and zero. What came back is in runs.h.
 *
 * A run that came back is dirty: it still holds memory. When dirty runs hold
 * more than a share of what is in use, or have waited for DIRTY_SECONDS and any
 * pages come or go, the oldest are returned to the system. Where they are
 * wanted again at once, again and again, each page is a fault in vain: more is
 * kept then, until that has not been seen for DIRTY_SECONDS.
 */
#include "alloc/pages.h"

#include "alloc/clock.h"
#include "alloc/lock.h"
#include "alloc/root.h"
#include "alloc/runs.h"
#include "alloc/wait.h"

/* Dirty pages kept: an eighth of the pages in use, within these bounds. */
static const size_t dirty_min = (8 << 20) >> KMA_PAGE_SHIFT;
static const size_t dirty_max = (256 << 20) >> KMA_PAGE_SHIFT;

/* And beyond that at most, where they go back and forth. */
static const size_t extra_max = (64 << 20) >> KMA_PAGE_SHIFT;

enum { DIRTY_SECONDS = 10 };

struct kma_lock kma_pages_lock;

/* All below is guarded by kma_pages_lock. */
static uintptr_t top;      /* 0 until first used */
static size_t limit_pages; /* in use; 0: no limit */
static struct {
	uint32_t since;     /* seconds */
	size_t back, forth; /* pages since then; of those, at most as many */
	size_t extra;       /* pages kept beyond the limit, for that */
} swing;

static size_t bytes_of(size_t pages)
{
	return pages << KMA_PAGE_SHIFT;
}

void kma_pages_set(uintptr_t base, size_t count, uint64_t word)
{
	uint64_t *map = (uint64_t *)kma_reserve.page_map.base +
			((base - kma_reserve.heap.base) >> KMA_PAGE_SHIFT);

	for (size_t i = 0; i < count; i++)
		__atomic_store_n(&map[i], word, __ATOMIC_RELEASE);
}

static size_t pages_in_use(void)
{
	return top ? ((top - kma_reserve.heap.base) >> KMA_PAGE_SHIFT) -
			       kma_runs_free
		   : 0;
}

static bool exceeds_limit(size_t more)
{
	size_t in_use = pages_in_use();

	return limit_pages &&
	       (in_use > limit_pages || more > limit_pages - in_use);
}

static size_t dirty_limit(void)
{
	size_t limit = pages_in_use() / 8;

	if (limit < dirty_min)
		limit = dirty_min;
	return (limit < dirty_max ? limit : dirty_max) + swing.extra;
}

static void swing_age(void)
{
	uint32_t now = kma_clock_seconds();

	if (now - swing.since <= DIRTY_SECONDS)
		return;
	swing.since = now;
	swing.back = swing.forth = swing.extra = 0;
}

static void swing_back(size_t pages)
{
	if (pages == 0)
		return;
	swing_age();
	swing.back += pages;
}

static void swing_forth(size_t pages)
{
	enum { OFTEN = 4 }; /* times what is kept */
	size_t known;

	if (pages == 0 || swing.back == 0)
		return;
	swing_age();
	known = swing.back - swing.forth;
	swing.forth += pages < known ? pages : known;
	if (swing.forth <= OFTEN * dirty_limit())
		return;
	swing.since = kma_clock_seconds();
	swing.back = swing.forth = 0;
	swing.extra = swing.extra ? 2 * swing.extra : dirty_min;
	if (swing.extra > extra_max)
		swing.extra = extra_max;
}

void kma_pages_free(uintptr_t base, size_t count)
{
	kma_lock_acquire(&kma_pages_lock);
	bool dirty = count <= dirty_limit();

	if (!dirty) { /* large: not under the lock, the run is still ours */
		kma_lock_release(&kma_pages_lock);
		/* Who looks at buffers without a lock is not to take what is
		 * zeroed for one. */
		kma_pages_set(base, count, KMA_PAGE_NONE);
		kma_runs_return(base, count);
		kma_lock_acquire(&kma_pages_lock);
		swing_back(count);
	}
	kma_arena_gave(KMA_ACCOUNT_HEAP, bytes_of(count));
	kma_pages_set(base, count, KMA_PAGE_FREE);
	kma_run_keep(base, count, dirty ? count : 0);
	if (kma_runs_dirty > dirty_limit())
		swing_back(kma_runs_purge_down_to(dirty_limit() / 8 * 7));
	kma_runs_purge_older_than(DIRTY_SECONDS);
	kma_lock_release(&kma_pages_lock);
	kma_wait_wake_fenced();
}

/* --- allocation ---------------------------------------------------------- */

/* Commit heap and page map so that [.., upto) is usable. */
static bool commit(uintptr_t upto)
{
	struct kma_range *heap = &kma_reserve.heap;

	if (upto <= heap->committed)
		return true;
	if (upto > heap->end)
		return false;

	/* The map first: lookups are bounded by heap.committed alone. The heap
	 * may commit more than asked for, by a step; the map follows. */
	uint64_t ahead = (upto - heap->base) / 8 + (upto - heap->base) +
			 (UINT64_C(65) << 20);

	if (ahead > heap->end - heap->base)
		ahead = heap->end - heap->base;
	if (!kma_range_commit(&kma_reserve.page_map,
			      kma_reserve.page_map.base +
				      (ahead >> KMA_PAGE_SHIFT) *
					      sizeof(uint64_t)))
		return false;
	bool committed = kma_range_commit(heap, upto);

	kma_root.heap_committed = heap->committed;
	return committed;
}

static uintptr_t align_up(uintptr_t value, size_t align)
{
	return (value + align - 1) & ~(uintptr_t)(align - 1);
}

/* Untouched pages, joined with a free run that ends at top. */
static uintptr_t extend_top(size_t count, size_t align, bool *zeroed)
{
	if (!top)
		top = kma_reserve.heap.base;

	struct kma_run *last = kma_run_ending_at(top - KMA_PAGE_SIZE);
	uintptr_t start = last ? last->base : top;
	uintptr_t base = align_up(start, align);
	uintptr_t end = base + bytes_of(count);

	if (base < start || end < base || end > kma_reserve.heap.end ||
	    !commit(end))
		return 0;
	*zeroed = !last || !last->dirty || base >= top;
	if (last && base < top)
		swing_forth(kma_run_cut(last, base,
					(top - base) >> KMA_PAGE_SHIFT));
	else if (base > top)
		kma_run_keep(top, (base - top) >> KMA_PAGE_SHIFT, 0);
	top = end;
	return base;
}

static uintptr_t take(size_t count, size_t align, bool *zeroed)
{
	size_t slack = (align >> KMA_PAGE_SHIFT) - 1;
	struct kma_run *run = kma_run_find(count + slack);

	if (!run)
		return extend_top(count, align, zeroed);

	uintptr_t base = align_up(run->base, align);

	*zeroed = !run->dirty;
	swing_forth(kma_run_cut(run, base, count));
	return base;
}

uintptr_t kma_pages_alloc(size_t count, size_t align, bool *zeroed)
{
	size_t limit = (kma_reserve.heap.end - kma_reserve.heap.base) >>
		       KMA_PAGE_SHIFT;

	if (count == 0 || count > limit || align >> KMA_PAGE_SHIFT > limit)
		return 0;
	kma_lock_acquire(&kma_pages_lock);
	uintptr_t base = exceeds_limit(count) ? 0 : take(count, align, zeroed);

	kma_runs_purge_older_than(DIRTY_SECONDS);
	kma_lock_release(&kma_pages_lock);
	if (base)
		kma_arena_took(KMA_ACCOUNT_HEAP, bytes_of(count));
	else
		kma_arena_failed(KMA_ACCOUNT_HEAP);
	return base;
}

static bool grow(uintptr_t base, size_t old, size_t count)
{
	uintptr_t end = base + bytes_of(old);
	size_t more = count - old;
	struct kma_run *after = kma_run_ending_at(end);

	if (after && after->count >= more) {
		swing_forth(kma_run_cut(after, end, more));
		return true;
	}
	if (after && after->base + bytes_of(after->count) != top)
		return false;
	if (!after && end != top)
		return false;
	if (bytes_of(count) > kma_reserve.heap.end - base ||
	    !commit(base + bytes_of(count)))
		return false;
	if (after)
		kma_run_remove(after);
	top = base + bytes_of(count);
	return true;
}

bool kma_pages_resize(uintptr_t base, size_t old, size_t count)
{
	if (count <= old) {
		if (count < old)
			kma_pages_free(base + bytes_of(count), old - count);
		return true;
	}
	kma_lock_acquire(&kma_pages_lock);
	bool grown = !exceeds_limit(count - old) && grow(base, old, count);

	kma_lock_release(&kma_pages_lock);
	if (grown)
		kma_arena_took(KMA_ACCOUNT_HEAP, bytes_of(count - old));
	return grown;
}

void kma_pages_age(size_t seconds)
{
	kma_lock_acquire(&kma_pages_lock);
	kma_runs_purge_older_than(seconds);
	kma_lock_release(&kma_pages_lock);
}

size_t kma_pages_trim(void)
{
	kma_lock_acquire(&kma_pages_lock);
	size_t purged = kma_runs_purge_down_to(0);
	kma_lock_release(&kma_pages_lock);
	return bytes_of(purged);
}

void kma_pages_set_limit(size_t pages)
{
	kma_lock_acquire(&kma_pages_lock);
	limit_pages = pages;
	kma_lock_release(&kma_pages_lock);
}

size_t kma_pages_limit(void)
{
	return __atomic_load_n(&limit_pages, __ATOMIC_RELAXED);
}

bool kma_pages_could_hold(size_t size)
{
	size_t limit = kma_pages_limit();

	return size < kma_reserve.heap.end - kma_reserve.heap.base &&
	       (!limit || size <= bytes_of(limit));
}

void kma_pages_count(size_t *free, size_t *extent)
{
	kma_lock_acquire(&kma_pages_lock);
	*free = kma_runs_free;
	*extent = top ? (top - kma_reserve.heap.base) >> KMA_PAGE_SHIFT : 0;
	kma_lock_release(&kma_pages_lock);
}
