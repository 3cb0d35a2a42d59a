/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's last stack, from which the next is made. */
#ifndef ALLOC_TRACE_H
#define ALLOC_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kma_trace;
struct kma_thread;

/* A stack in the trace. */
struct kma_trace_stack {
	const uint64_t *key; /* innermost first, the library's own cut */
	size_t depth;
	uint64_t hash; /* kma_stack_hash() of it */
	uint32_t *id;  /* depot id it was given, kept with it; 0 none yet */
};

/*
 * Capture the calling thread's whole stack; it is good until it is released.
 * False: this stack is not for rules, or is deeper than the trace, or the trace
 * is in use below this signal handler: kma_stack_capture() has to do.
 */
bool kma_trace_acquire(struct kma_thread *self, struct kma_trace_stack *ret);
void kma_trace_release(struct kma_thread *self);

/* The thread has ended. */
void kma_trace_discard(struct kma_thread *thread);

#endif
