/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one range of address space that is the allocator's, and its parts.
 *
 *	reserve_base                                               reserve_end
 *	|guard| page map |guard| meta |guard| depot |guard| logs |guard| heap |
 *
 * Everything libkma owns lies in the reserve (and in the library's own data),
 * so "is this the allocator's?" is one comparison, for us and for a debugger.
 * The reserve is PROT_NONE and MADV_DONTDUMP. A part is a prefix that has been
 * committed (readable, writable, dumped) and a tail that has not; it grows by
 * whole steps, so that a part is one mapping however often it grew.
 *
 * Under RLIMIT_AS every reserved byte counts, so there tails are not held: a
 * part that grows maps the next step where it ends, and the limit is shared by
 * the heap and the program's own mappings as they come. These are placed by the
 * kernel from the highest gap down, which is the heap's own tail: the heap
 * grows towards them, and what lies behind its end is not the allocator's.
 */
#ifndef ALLOC_RANGE_H
#define ALLOC_RANGE_H

#include "alloc/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kma_range {
	uintptr_t base;
	uintptr_t committed; /* first byte that is not yet usable */
	uintptr_t held;      /* up to here address space is mapped */
	uintptr_t end;       /* it can grow so far */
	enum kma_account account;
};

/* The parts, laid out once by kma_reserve_init(). */
struct kma_reserve {
	uintptr_t base, end;
	/* What an address is looked up by: in one line of the processor's
	 * cache, as every free() reads it, and where fast.h says. */
	struct {
		uintptr_t by_page; /* words, as if they began at page 0 */
		uintptr_t base;    /* of the heap */
		size_t committed;  /* bytes of it */
		uint64_t apart[2];
		const uint64_t *words; /* one for each page */
	} lookup;
	struct kma_range page_map, meta, depot, logs, heap;
} __attribute__((aligned(64)));

extern struct kma_reserve kma_reserve __attribute__((visibility("hidden")));

/*
 * Lay out 4 TiB of heap, or as much as there are addresses for, and hold them
 * where RLIMIT_AS allows. False: not even 16 MiB.
 */
bool kma_reserve_init(void);

/* Before RLIMIT_AS becomes finite: let go of all that is not committed. Caller
 * holds the lock of each part that can grow. */
void kma_reserve_let_go(void);

/* RLIMIT_AS now, or UINT64_MAX. */
uint64_t kma_address_limit(void);

/* May the kernel refuse a mapping for RLIMIT_AS or RLIMIT_DATA? */
bool kma_mappings_are_limited(void);

/*
 * Make [range->base, upto) usable. Caller holds the lock of the part. False
 * with nothing changed when the range or the system's memory is exhausted.
 */
bool kma_range_commit(struct kma_range *range, uintptr_t upto);

#endif
