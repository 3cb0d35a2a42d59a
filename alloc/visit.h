/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Magazines of other threads: what lies in them is out of everybody's reach
 * but their owner's, until somebody visits.
 *
 *	owner				visitor
 *	  busy++			  kma_visits++
 *	  (nothing, or a fence)		  membarrier: a fence in every thread
 *	  is kma_visits 0?		  is its busy 0?
 *
 * One of the two sees the other: an owner that sees a visit leaves magazines
 * alone and goes to the slabs; a visitor waits until an owner that it found
 * busy has left. An owner that ends waits until nobody visits. Only magazines
 * of clients' caches are visited: malloc's fast path does not look.
 */
#ifndef ALLOC_VISIT_H
#define ALLOC_VISIT_H

#include "alloc/cache.h"

#include <stdbool.h>

/* Held during a visit, while a thread hands its magazines back at its end, and
 * for a fork. */
extern struct kma_lock kma_visit_lock;

extern uint32_t kma_visits;
extern bool kma_visit_unfenced; /* the system does the owners' fences */

/* Before the first cache of a client exists. */
void kma_visit_init(void);

/* The caller has entered: may it use its magazines of clients' caches? */
static inline bool kma_visit_none(void)
{
	if (__builtin_expect(!kma_visit_unfenced, 0))
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __builtin_expect(
		__atomic_load_n(&kma_visits, __ATOMIC_RELAXED) == 0, 1);
}

/*
 * Move the magazines of all threads for a cache to its depot. The caller has
 * not entered. False: a thread did not leave the allocator in time (a signal
 * handler runs in it); its magazines are where they were.
 */
bool kma_visit_all(struct kma_cache *cache);

#endif
