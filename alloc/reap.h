/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving up what is kept. What the library keeps itself any thread may give
 * up; callbacks of clients (reclaim, move) run in a thread of the library's
 * own, as a thread that asks for memory may hold locks of its client. It is
 * started by the first cache that has such a callback, and in the child of a
 * fork by the next that needs it; it takes no signals.
 *
 * A program that does nothing more gives nothing back, as no call of its comes
 * by: where KMA_OPTIONS=reap_interval=SECONDS asks for it, the thread runs from
 * the start and looks as often after what is idle. A fork has none.
 */
#ifndef ALLOC_REAP_H
#define ALLOC_REAP_H

#include "alloc/cache.h"

#include <stdbool.h>

/* Start the thread if it does not run. */
void kma_reap_start(void);
void kma_reap_forked(void);

/* For a sleeper: all that is kept goes to the slabs and the heap, and the
 * thread is asked for the rest; it wakes who sleeps when it is through. The
 * caller has not entered. */
void kma_reap_everything(void);

/* The same of clients' caches that have their slabs from elsewhere: an arena
 * may be what they have them from. */
void kma_reap_importers(void);

/* How many threads of the process are ours, and does it have nothing to do? */
unsigned kma_reap_threads(void);
bool kma_reap_is_idle(void);

/* No callback of the cache runs any more when this returns, or will. */
void kma_reap_leave(struct kma_cache *cache);

/* One of the two objects that the move callback of this moment is about? */
bool kma_reap_is_moving(const void *object);

/* --- for move.c ------------------------------------------------------------
 */

/* Move objects out of slabs that are little used. In the library's thread. */
void kma_move_consolidate(struct kma_cache *cache);

/* The objects under way; NULL, NULL: none. */
void kma_reap_set_moving(const void *object, const void *target);

#endif
