/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free runs hang in bins by length: one bin for each length up to EXACT_BINS,
 * then eight to a power of two. Any run of a higher bin fits, so a search
 * looks at a few of one bin and then takes the first of the next one occupied,
 * which a bitmap tells: no heap makes it long.
 *
 * Dirty runs also wait in a list, oldest first.
 */
#include "alloc/runs.h"

#include "alloc/clock.h"
#include "alloc/meta.h"
#include "alloc/pages.h"
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

/* All guarded by kma_pages_lock. */
static struct kma_run *bins[BINS];
static uint64_t occupied[BITMAP_WORDS];
static struct kma_run *oldest_dirty, *newest_dirty;
size_t kma_runs_dirty, kma_runs_free;

static size_t bytes_of(size_t pages)
{
	return pages << KMA_PAGE_SHIFT;
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

static void bin_insert(struct kma_run *run)
{
	unsigned bin = bin_for(run->count);

	run->prev = NULL;
	run->next = bins[bin];
	if (run->next)
		run->next->prev = run;
	bins[bin] = run;
	occupied[bin / 64] |= UINT64_C(1) << (bin % 64);
	kma_runs_free += run->count;
}

static void bin_remove(struct kma_run *run)
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
	kma_runs_free -= run->count;
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

static void dirty_append(struct kma_run *run)
{
	run->dirty_since = kma_clock_seconds();
	run->newer_dirty = NULL;
	run->older_dirty = newest_dirty;
	if (newest_dirty)
		newest_dirty->newer_dirty = run;
	else
		oldest_dirty = run;
	newest_dirty = run;
	kma_runs_dirty += run->dirty;
}

static void dirty_remove(struct kma_run *run)
{
	if (run->older_dirty)
		run->older_dirty->newer_dirty = run->newer_dirty;
	else
		oldest_dirty = run->newer_dirty;
	if (run->newer_dirty)
		run->newer_dirty->older_dirty = run->older_dirty;
	else
		newest_dirty = run->older_dirty;
	kma_runs_dirty -= run->dirty;
}

/* --- free runs ----------------------------------------------------------- */

static void run_mark_ends(const struct kma_run *run, uint64_t word)
{
	kma_pages_set(run->base, 1, word);
	kma_pages_set(run->base + bytes_of(run->count - 1), 1, word);
}

static void run_link(struct kma_run *run)
{
	bin_insert(run);
	if (run->dirty)
		dirty_append(run);
	run_mark_ends(run, (uint64_t)(uintptr_t)run | KMA_PAGE_FREE);
}

static void run_unlink(struct kma_run *run)
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
	struct kma_run *run = kma_meta_take(KMA_META_RUN, 1, sizeof(*run));

	if (!run) {
		sys_madvise(base, bytes_of(count), MADV_DONTNEED);
		return;
	}
	run->base = base;
	run->count = count;
	run->dirty = dirty;
	run_link(run);
}

struct kma_run *kma_run_ending_at(uintptr_t address)
{
	/* Those of slabs are written without the lock. */
	uint64_t word = kma_pages_lookup(address);

	if ((word & KMA_PAGE_KIND_MASK) != KMA_PAGE_FREE)
		return NULL;
	return (struct kma_run *)(uintptr_t)(word & KMA_PAGE_SLAB_MASK);
}

void kma_run_remove(struct kma_run *run)
{
	run_unlink(run);
	kma_meta_give(KMA_META_RUN, run, 1, sizeof(*run));
}

/* The system keeps what is locked (mlock, mlockall) and says so: those are made
 * zero where they are. */
void kma_runs_return(uintptr_t base, size_t count)
{
	long result = sys_madvise(base, bytes_of(count), MADV_DONTNEED);

	if (result < 0 &&
	    !(result == -EPERM && sys_map_anew(base, bytes_of(count))))
		memset((void *)base, 0, bytes_of(count));
}

static size_t run_purge(struct kma_run *run)
{
	size_t purged = run->dirty;

	kma_runs_return(run->base, run->count);
	dirty_remove(run);
	run->dirty = 0;
	return purged;
}

size_t kma_runs_purge_down_to(size_t limit)
{
	size_t purged = 0;

	while (oldest_dirty && kma_runs_dirty > limit)
		purged += run_purge(oldest_dirty);
	return purged;
}

void kma_runs_purge_older_than(size_t seconds)
{
	uint32_t now = oldest_dirty ? kma_clock_seconds() : 0;

	while (oldest_dirty && now - oldest_dirty->dirty_since > seconds)
		run_purge(oldest_dirty);
}

void kma_run_keep(uintptr_t base, size_t count, size_t dirty)
{
	struct kma_run *before = kma_run_ending_at(base - KMA_PAGE_SIZE);
	struct kma_run *after = kma_run_ending_at(base + bytes_of(count));

	if (before) {
		base = before->base;
		count += before->count;
		dirty += before->dirty;
		kma_run_remove(before);
	}
	if (after) {
		count += after->count;
		dirty += after->dirty;
		kma_run_remove(after);
	}
	run_create(base, count, dirty);
}

struct kma_run *kma_run_find(size_t count)
{
	enum { LOOKED_AT_MAX = 16 };
	unsigned bin = bin_for(count);
	int looked_at = 0;

	for (struct kma_run *run = bins[bin]; run && looked_at < LOOKED_AT_MAX;
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

size_t kma_run_cut(struct kma_run *run, uintptr_t base, size_t count)
{
	uintptr_t start = run->base, end = run->base + bytes_of(run->count);
	size_t pages = run->count, dirty = run->dirty;

	kma_run_remove(run);
	rest_create(start, base, pages, dirty);
	rest_create(base + bytes_of(count), end, pages, dirty);
	return count * (pages - dirty) / pages;
}
