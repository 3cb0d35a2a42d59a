/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A futex lock: four bytes, no destructor, good in static storage, and safe
 * to reinitialise in the child of a fork. Not recursive. Never held while
 * user code runs, and never taken by a thread that holds one further down:
 *
 *	fork gate -> thread registry -> caches -> maps -> arenas -> cache ->
 *	depot -> waiters -> arena -> foreign pages -> pages -> meta
 *
 * One exception: from the prepare handler of a fork on, the forking thread
 * holds every lock while handlers of other libraries may still run, and those
 * allocate. As nobody else can be inside the allocator then, that thread, and
 * it alone, passes through a lock so held.
 */
#ifndef ALLOC_LOCK_H
#define ALLOC_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct kma_lock {
	uint32_t word; /* 0: free */
};

void kma_lock_acquire(struct kma_lock *lock);
bool kma_lock_try(struct kma_lock *lock);
void kma_lock_release(struct kma_lock *lock);

/* Hold for a fork, and let go after it in the parent. */
void kma_lock_fork_hold(struct kma_lock *lock);
void kma_lock_fork_release(struct kma_lock *lock);

/* In the child of a fork, where the holder may be gone. */
void kma_lock_reset(struct kma_lock *lock);

#endif
