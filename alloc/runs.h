/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free runs of pages; pages.c takes from them and gives to them. A run has a
 * record in the metadata arena; the page map's words of its first and last page
 * lead to the record, which is how a run that comes back finds its free
 * neighbours and merges with them at once. The words between hold KMA_PAGE_FREE
 * alone. No two free runs touch.
 *
 * A run is dirty while it holds memory; one that was returned to the system is
 * zero. A run knows about how many of its pages are dirty; only none is exact.
 *
 * All of this is called with kma_pages_lock held.
 */
#ifndef ALLOC_RUNS_H
#define ALLOC_RUNS_H

#include <stddef.h>
#include <stdint.h>

struct kma_run {
	struct kma_run *next, *prev;               /* in its bin */
	struct kma_run *newer_dirty, *older_dirty; /* in the dirty list */
	uintptr_t base;
	size_t count;         /* pages */
	size_t dirty;         /* of them, about; 0: all are zero */
	uint32_t dirty_since; /* seconds */
};

/* Pages in free runs; those of them that are dirty, about. */
extern size_t kma_runs_free, kma_runs_dirty;

/* The free run with a page at address, an end of it; NULL: there is none. */
struct kma_run *kma_run_ending_at(uintptr_t address);

/* One that has room for so many pages, or NULL. */
struct kma_run *kma_run_find(size_t count);

/* Keep free pages, whose words hold KMA_PAGE_FREE: merged with what is free on
 * either side. Without memory for a record they are lost, but returned. */
void kma_run_keep(uintptr_t base, size_t count, size_t dirty);

/* Take [base, base + count pages) out of a free run, or all of it; how many of
 * them had been returned to the system, about. */
size_t kma_run_cut(struct kma_run *run, uintptr_t base, size_t count);
void kma_run_remove(struct kma_run *run);

/*
 * Return memory to the system, which then reads as zero: of these pages
 * (without the lock); of the oldest runs until so many pages are dirty, how
 * many were returned; of runs that were freed more than so many seconds ago.
 */
void kma_runs_return(uintptr_t base, size_t count);
size_t kma_runs_purge_down_to(size_t limit);
void kma_runs_purge_older_than(size_t seconds);

#endif
