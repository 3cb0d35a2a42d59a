/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs of pages from the heap part of the reserve, and the page map: one
 * 64-bit word for each page, which tells from an address alone what lies
 * there. That is what makes any pointer safe to ask about.
 *
 *	63          48 47                       6   5   4    2 1    0
 *	| cache index | slab header, 64-aligned  | class | tier  | kind |
 *
 * class: the slab is of one of malloc's size classes, which the fast path
 * serves.
 *
 * Every page of a slab, and of a large buffer, carries the same word. The
 * word is written before the first buffer of the slab is handed out and
 * cleared after the last has come back, with release order; readers need no
 * lock.
 */
#ifndef ALLOC_PAGES_H
#define ALLOC_PAGES_H

#include "alloc/lock.h"
#include "alloc/range.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KMA_PAGE_SHIFT = 12,
	KMA_PAGE_SIZE = 1 << KMA_PAGE_SHIFT,
};

enum kma_page_kind {
	KMA_PAGE_NONE = 0,  /* never handed out */
	KMA_PAGE_SLAB = 1,  /* buffers of one size */
	KMA_PAGE_LARGE = 2, /* one buffer over all its pages */
	KMA_PAGE_FREE = 3,  /* a free run; the word holds its record */
};

enum {
	KMA_PAGE_TIER_SHIFT = 2,
	KMA_PAGE_CLASS = 1 << 5,
	KMA_PAGE_CACHE_SHIFT = 48,
};
#define KMA_PAGE_KIND_MASK UINT64_C(0x3)
#define KMA_PAGE_TIER_MASK UINT64_C(0x7) /* after the shift */
#define KMA_PAGE_SLAB_MASK UINT64_C(0x0000ffffffffffc0)

/* The word of pages that kmem_va has: of no slab (arena.c). */
#define KMA_PAGE_ARENA UINT64_C(0xffff000000000000)

struct kma_slab;

/* For fork.c. */
extern struct kma_lock kma_pages_lock;

/*
 * A run of count pages whose address is a multiple of align bytes (a power of
 * two, at least KMA_PAGE_SIZE). 0 when the heap is exhausted. *zeroed tells
 * whether the kernel vouches that every byte is zero.
 */
uintptr_t kma_pages_alloc(size_t count, size_t align, bool *zeroed);

/* Give a run back: merged with its free neighbours, memory returned. */
void kma_pages_free(uintptr_t base, size_t count);

/*
 * Make a run of old pages one of count pages where it lies: the tail given
 * back, or the free pages behind it taken. False, nothing changed, when those
 * are not free. The caller then sets the words.
 */
bool kma_pages_resize(uintptr_t base, size_t old, size_t count);

/* Return what has been free for longer than so many seconds. */
void kma_pages_age(size_t seconds);

/* Return all free memory to the system; bytes returned. */
size_t kma_pages_trim(void);

/* At most so many pages in use, from now on; 0: no limit. */
void kma_pages_set_limit(size_t pages);
size_t kma_pages_limit(void);

/* Would so many bytes fit if nothing else were allocated? */
bool kma_pages_could_hold(size_t size);

/* Pages in free runs, and pages ever handed out. */
void kma_pages_count(size_t *free, size_t *extent);

/* Set the words of a run; 0 clears them. */
void kma_pages_set(uintptr_t base, size_t count, uint64_t word);

static inline uint64_t kma_pages_word(const struct kma_slab *slab,
				      enum kma_page_kind kind, unsigned tier,
				      unsigned cache_index)
{
	return (uint64_t)(uintptr_t)slab | (uint64_t)kind |
	       (uint64_t)tier << KMA_PAGE_TIER_SHIFT |
	       (uint64_t)cache_index << KMA_PAGE_CACHE_SHIFT;
}

/* The word of the page that holds address, which is in the heap. */
static inline uint64_t kma_pages_lookup_known(uintptr_t address)
{
	return __atomic_load_n((const uint64_t *)(kma_reserve.lookup.by_page +
						  (address >> KMA_PAGE_SHIFT) *
							  sizeof(uint64_t)),
			       __ATOMIC_ACQUIRE);
}

/* The same for any address; 0 where it is not ours. */
static inline uint64_t kma_pages_lookup(uintptr_t address)
{
	uintptr_t offset = address - kma_reserve.lookup.base;
	size_t committed = __atomic_load_n(&kma_reserve.lookup.committed,
					   __ATOMIC_RELAXED);

	if (__builtin_expect(offset >= committed, 0))
		return 0;
	return __atomic_load_n(kma_reserve.lookup.words +
				       (offset >> KMA_PAGE_SHIFT),
			       __ATOMIC_ACQUIRE);
}

#endif
