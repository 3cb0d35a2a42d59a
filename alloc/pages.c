/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs of pages.
 *
 *	heap.base          top                committed               heap.end
 *	| slabs, large buffers, free runs | fresh |     not usable yet    |
 *
 * Pages below top have been handed out at least once; those from top on are
 * untouched and zero. A free run has a record in the metadata arena; the page
 * map's words of its first and last page lead to the record, which is how a
 * run that comes back finds its free neighbours and merges with them at once.
 * The words between hold KMA_PAGE_FREE alone. No two free runs touch.
 *
 * Free runs hang in bins by length: one bin for each length up to EXACT_BINS,
 * then eight to a power of two. Any run of a higher bin fits, so a search
 * looks at a few of one bin and then takes the first of the next one occupied,
 * which a bitmap tells: no heap makes it long.
 *
 * A run that came back is dirty: it still holds memory. Dirty runs wait in a
 * list, oldest first. When they hold more than a share of what is in use, or
 * have waited for DIRTY_SECONDS and any pages come or go, the oldest are
 * returned to the system and are zero from then on. A run knows
 * about how many of its pages are dirty, for that account; only none is exact.
 */
#include "alloc/pages.h"

#include "alloc/clock.h"
#include "alloc/lock.h"
#include "alloc/meta.h"
#include "alloc/room.h"
#include "alloc/root.h"
#include "alloc/sys.h"

#include <string.h>
#include <sys/mman.h>

enum {
	EXACT_BINS = 64, /* runs of 0..63 pages */
	SUB_SHIFT = 3,   /* eight bins to each power of two above */
	EXACT_SHIFT = 6,
	BINS = EXACT_BINS + (40 << SUB_SHIFT),
	BITMAP_WORDS = (BINS + 63) / 64,
};

/* Dirty pages kept: an eighth of the pages in use, within these bounds. */
static const size_t dirty_min = (8 << 20) >> KMA_PAGE_SHIFT;
static const size_t dirty_max = (256 << 20) >> KMA_PAGE_SHIFT;

enum { DIRTY_SECONDS = 10 };

struct run {
	struct run *next, *prev;               /* in its bin */
	struct run *newer_dirty, *older_dirty; /* in the dirty list */
	uintptr_t base;
	size_t count;         /* pages */
	size_t dirty;         /* of them, about; 0: all are zero */
	uint32_t dirty_since; /* seconds */
};

struct kma_lock kma_pages_lock;

/* All below is guarded by kma_pages_lock. */
static uintptr_t top; /* 0 until first used */
static struct run *bins[BINS];
static uint64_t occupied[BITMAP_WORDS];
static struct run *oldest_dirty, *newest_dirty;
static size_t dirty_pages, free_pages;
static size_t limit_pages; /* in use; 0: no limit */

static size_t bytes_of(size_t pages)
{
	return pages << KMA_PAGE_SHIFT;
}

static uint64_t *word_of(uintptr_t address)
{
	return (uint64_t *)kma_reserve.page_map.base +
	       ((address - kma_reserve.heap.base) >> KMA_PAGE_SHIFT);
}

static void word_store(uintptr_t address, uint64_t word)
{
	__atomic_store_n(word_of(address), word, __ATOMIC_RELEASE);
}

void kma_pages_set(uintptr_t base, size_t count, uint64_t word)
{
	uint64_t *map = word_of(base);

	for (size_t i = 0; i < count; i++)
		__atomic_store_n(&map[i], word, __ATOMIC_RELEASE);
}

/* --- bins --------------------------------------------------------------- */

static unsigned bin_for(size_t count)
{
	if (count < EXACT_BINS)
		return (unsigned)count;

	unsigned power = 63 - (unsigned)__builtin_clzl(count);
	unsigned sub = (unsigned)(count >> (power - SUB_SHIFT)) &
		       ((1u << SUB_SHIFT) - 1);

	return EXACT_BINS + ((power - EXACT_SHIFT) << SUB_SHIFT) + sub;
}

static void bin_insert(struct run *run)
{
	unsigned bin = bin_for(run->count);

	run->prev = NULL;
	run->next = bins[bin];
	if (run->next)
		run->next->prev = run;
	bins[bin] = run;
	occupied[bin / 64] |= UINT64_C(1) << (bin % 64);
	free_pages += run->count;
}

static void bin_remove(struct run *run)
{
	unsigned bin = bin_for(run->count);

	if (run->prev)
		run->prev->next = run->next;
	else
		bins[bin] = run->next;
	if (run->next)
		run->next->prev = run->prev;
	if (!bins[bin])
		occupied[bin / 64] &= ~(UINT64_C(1) << (bin % 64));
	free_pages -= run->count;
}

/* The first occupied bin from this one on, or BINS. */
static unsigned bin_next(unsigned bin)
{
	if (bin >= BINS)
		return BINS;

	unsigned word = bin / 64;
	uint64_t bits = occupied[word] & (~UINT64_C(0) << (bin % 64));

	while (!bits) {
		if (++word == BITMAP_WORDS)
			return BINS;
		bits = occupied[word];
	}
	return word * 64 + (unsigned)__builtin_ctzl(bits);
}

/* --- the dirty list ------------------------------------------------------ */

static void dirty_append(struct run *run)
{
	run->dirty_since = kma_clock_seconds();
	run->newer_dirty = NULL;
	run->older_dirty = newest_dirty;
	if (newest_dirty)
		newest_dirty->newer_dirty = run;
	else
		oldest_dirty = run;
	newest_dirty = run;
	dirty_pages += run->dirty;
}

static void dirty_remove(struct run *run)
{
	if (run->older_dirty)
		run->older_dirty->newer_dirty = run->newer_dirty;
	else
		oldest_dirty = run->newer_dirty;
	if (run->newer_dirty)
		run->newer_dirty->older_dirty = run->older_dirty;
	else
		newest_dirty = run->older_dirty;
	dirty_pages -= run->dirty;
}

/* --- free runs ----------------------------------------------------------- */

static void run_mark_ends(const struct run *run, uint64_t word)
{
	word_store(run->base, word);
	word_store(run->base + bytes_of(run->count - 1), word);
}

static void run_link(struct run *run)
{
	bin_insert(run);
	if (run->dirty)
		dirty_append(run);
	run_mark_ends(run, (uint64_t)(uintptr_t)run | KMA_PAGE_FREE);
}

static void run_unlink(struct run *run)
{
	bin_remove(run);
	if (run->dirty)
		dirty_remove(run);
	run_mark_ends(run, KMA_PAGE_FREE);
}

/*
 * Without a record a run cannot be kept track of: its pages are lost to us,
 * but their memory is not.
 */
static void run_create(uintptr_t base, size_t count, size_t dirty)
{
	struct run *run = kma_meta_take(KMA_META_RUN, 1, sizeof(*run));

	if (!run) {
		sys_madvise(base, bytes_of(count), MADV_DONTNEED);
		return;
	}
	run->base = base;
	run->count = count;
	run->dirty = dirty;
	run_link(run);
}

/* The free run with a page at address, an end of it, or NULL. */
static struct run *run_ending_at(uintptr_t address)
{
	if (address < kma_reserve.heap.base || address >= top)
		return NULL;

	/* Those of slabs are written without the lock. */
	uint64_t word = __atomic_load_n(word_of(address), __ATOMIC_ACQUIRE);

	if ((word & KMA_PAGE_KIND_MASK) != KMA_PAGE_FREE)
		return NULL;
	return (struct run *)(uintptr_t)(word & KMA_PAGE_SLAB_MASK);
}

static size_t pages_in_use(void)
{
	return top ? ((top - kma_reserve.heap.base) >> KMA_PAGE_SHIFT) -
			       free_pages
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
		return dirty_min;
	return limit < dirty_max ? limit : dirty_max;
}

/*
 * Return the memory of pages, which then read as zero. The system keeps what is
 * locked (mlock, mlockall) and says so: those are made zero where they are.
 */
static void memory_return(uintptr_t base, size_t count)
{
	if (sys_madvise(base, bytes_of(count), MADV_DONTNEED) < 0)
		memset((void *)base, 0, bytes_of(count));
}

static size_t run_purge(struct run *run)
{
	size_t purged = run->dirty;

	memory_return(run->base, run->count);
	dirty_remove(run);
	run->dirty = 0;
	return purged;
}

static size_t purge_down_to(size_t limit)
{
	size_t purged = 0;

	while (oldest_dirty && dirty_pages > limit)
		purged += run_purge(oldest_dirty);
	return purged;
}

static void purge_older_than(size_t seconds)
{
	uint32_t now = oldest_dirty ? kma_clock_seconds() : 0;

	while (oldest_dirty && now - oldest_dirty->dirty_since > seconds)
		run_purge(oldest_dirty);
}

/* Merge with what is free on either side, and keep. */
static void run_release(uintptr_t base, size_t count, size_t dirty)
{
	struct run *before = run_ending_at(base - KMA_PAGE_SIZE);
	struct run *after = run_ending_at(base + bytes_of(count));

	if (before) {
		run_unlink(before);
		base = before->base;
		count += before->count;
		dirty += before->dirty;
		kma_meta_give(KMA_META_RUN, before, 1, sizeof(*before));
	}
	if (after) {
		run_unlink(after);
		count += after->count;
		dirty += after->dirty;
		kma_meta_give(KMA_META_RUN, after, 1, sizeof(*after));
	}
	run_create(base, count, dirty);
}

void kma_pages_free(uintptr_t base, size_t count)
{
	kma_lock_acquire(&kma_pages_lock);
	bool dirty = count <= dirty_limit();

	if (!dirty) { /* large: not under the lock, the run is still ours */
		kma_lock_release(&kma_pages_lock);
		memory_return(base, count);
		kma_lock_acquire(&kma_pages_lock);
	}
	kma_arena_gave(KMA_ACCOUNT_HEAP, bytes_of(count));
	kma_pages_set(base, count, KMA_PAGE_FREE);
	run_release(base, count, dirty ? count : 0);
	if (dirty_pages > dirty_limit())
		purge_down_to(dirty_limit() / 8 * 7);
	purge_older_than(DIRTY_SECONDS);
	kma_lock_release(&kma_pages_lock);
	kma_room_made();
}

/* --- allocation ---------------------------------------------------------- */

static struct run *run_find(size_t count)
{
	enum { LOOKED_AT_MAX = 16 };
	unsigned bin = bin_for(count);
	int looked_at = 0;

	for (struct run *run = bins[bin]; run && looked_at < LOOKED_AT_MAX;
	     run = run->next, looked_at++)
		if (run->count >= count)
			return run;
	bin = bin_next(bin + 1);
	return bin < BINS ? bins[bin] : NULL;
}

/* Keep a part of a free run that was taken from: its share of the dirt. */
static void rest_create(uintptr_t base, uintptr_t end, size_t count,
			size_t dirty)
{
	size_t pages = (end - base) >> KMA_PAGE_SHIFT;

	if (pages)
		run_create(base, pages, (dirty * pages + count - 1) / count);
}

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

	struct run *last = run_ending_at(top - KMA_PAGE_SIZE);
	uintptr_t start = last ? last->base : top;
	uintptr_t base = align_up(start, align);
	uintptr_t end = base + bytes_of(count);

	if (base < start || end < base || end > kma_reserve.heap.end ||
	    !commit(end))
		return 0;
	*zeroed = !last || !last->dirty || base >= top;
	if (last && base < top) {
		size_t pages = last->count, dirty = last->dirty;

		run_unlink(last);
		kma_meta_give(KMA_META_RUN, last, 1, sizeof(*last));
		rest_create(start, base, pages, dirty);
	} else if (base > top) {
		run_release(top, (base - top) >> KMA_PAGE_SHIFT, 0);
	}
	top = end;
	return base;
}

/* Cut [base, base + count pages) out of a free run. */
static void run_cut(struct run *run, uintptr_t base, size_t count)
{
	uintptr_t start = run->base, end = run->base + bytes_of(run->count);
	size_t pages = run->count, dirty = run->dirty;

	run_unlink(run);
	kma_meta_give(KMA_META_RUN, run, 1, sizeof(*run));
	rest_create(start, base, pages, dirty);
	rest_create(base + bytes_of(count), end, pages, dirty);
}

static uintptr_t take(size_t count, size_t align, bool *zeroed)
{
	size_t slack = (align >> KMA_PAGE_SHIFT) - 1;
	struct run *run = run_find(count + slack);

	if (!run)
		return extend_top(count, align, zeroed);

	uintptr_t base = align_up(run->base, align);

	*zeroed = !run->dirty;
	run_cut(run, base, count);
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

	purge_older_than(DIRTY_SECONDS);
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
	struct run *after = run_ending_at(end);

	if (after && after->count >= more) {
		run_cut(after, end, more);
		return true;
	}
	if (after && after->base + bytes_of(after->count) != top)
		return false;
	if (!after && end != top)
		return false;
	if (bytes_of(count) > kma_reserve.heap.end - base ||
	    !commit(base + bytes_of(count)))
		return false;
	if (after) {
		run_unlink(after);
		kma_meta_give(KMA_META_RUN, after, 1, sizeof(*after));
	}
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
	purge_older_than(seconds);
	kma_lock_release(&kma_pages_lock);
}

size_t kma_pages_trim(void)
{
	kma_lock_acquire(&kma_pages_lock);
	size_t purged = purge_down_to(0);
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
	*free = free_pages;
	*extent = top ? (top - kma_reserve.heap.base) >> KMA_PAGE_SHIFT : 0;
	kma_lock_release(&kma_pages_lock);
}
