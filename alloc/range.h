/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one reserved range of address space, and its parts.
 *
 *	reserve_base                                               reserve_end
 *	|guard| page map |guard| meta |guard| depot |guard| logs |guard| heap |
 *
 * Everything libkma owns lies in the reserve (and in the library's own data),
 * so "is this the allocator's?" is one comparison, for us and for a debugger.
 * The reserve is PROT_NONE and MADV_DONTDUMP. A part is a prefix that has been
 * committed (readable, writable, dumped) and a tail that has not; it grows by
 * whole steps, so that a part is one mapping however often it grew.
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
	uintptr_t end;
	enum kma_account account;
};

/* The parts, set once by kma_reserve_init(). */
struct kma_reserve {
	/* What an address is looked up by: in one line of the processor's
	 * cache, as every free() reads it. */
	struct {
		uintptr_t base;        /* of the heap */
		size_t committed;      /* bytes of it */
		const uint64_t *words; /* one for each page */
	} lookup __attribute__((aligned(64)));
	uintptr_t base, end;
	struct kma_range page_map, meta, depot, logs, heap;
};

extern struct kma_reserve kma_reserve __attribute__((visibility("hidden")));

/*
 * Reserve as much as the system allows: 4 TiB of heap down to 16 MiB, halving
 * until mmap succeeds; a share of RLIMIT_AS where that is set, so that the
 * program's own mappings have room. False: not even that.
 */
bool kma_reserve_init(void);

/*
 * Make [range->base, upto) usable. Caller holds the lock of the part. False
 * with nothing changed when the range or the system's memory is exhausted.
 */
bool kma_range_commit(struct kma_range *range, uintptr_t upto);

#endif
