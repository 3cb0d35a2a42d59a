/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buffers freed by a signal handler that interrupted the allocator while it
 * held the lock the free needs. They wait here, still marked free by the audit
 * tier, for the next call that is not nested.
 */
#ifndef ALLOC_DEFERRED_H
#define ALLOC_DEFERRED_H

#include <stdbool.h>
#include <stdint.h>

struct kma_cache;

/* Takes no lock. When all places are taken the buffer is lost, and counted. */
void kma_deferred_put(const struct kma_cache *cache, uintptr_t start);

/* The next one; false: there is none. */
bool kma_deferred_take(struct kma_cache **cache, uintptr_t *start);

/* How many wait: cheap enough to ask on every slow path. */
extern uint32_t kma_deferred_count;
extern uint64_t kma_deferred_lost;

#endif
