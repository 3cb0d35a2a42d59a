/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failure injection: KMA_DEBUG=mtbf=N[:SEED] makes one in N calls fail as if
 * memory were exhausted. Which of the calls that one place in the program makes
 * is the seed's choice alone: the place counts by its module and offset, so the
 * next run fails at the same ones.
 */
#ifndef ALLOC_INJECT_H
#define ALLOC_INJECT_H

#include <stdbool.h>
#include <stdint.h>

struct kma_thread;

/* Is the call of this thread, which has entered, to fail? Not nested ones. */
bool kma_inject_into(const struct kma_thread *self);

#endif
