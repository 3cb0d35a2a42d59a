/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buffers freed by a signal handler that interrupted the allocator while it
 * held the lock the free needs. They wait here, still marked free by the audit
 * tier, for the next call that is not nested.
 */
#ifndef ALLOC_DEFERRED_H
#define ALLOC_DEFERRED_H

#include <stdint.h>

/* Takes no lock. When all places are taken the buffer is lost, and counted. */
void kma_deferred_put(uintptr_t start);

/* The next one, or 0. */
uintptr_t kma_deferred_take(void);

/* How many wait: cheap enough to ask on every slow path. */
extern uint32_t kma_deferred_count;
extern uint64_t kma_deferred_lost;

#endif
