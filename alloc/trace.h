/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's last stacks, from which the next are made. */
#ifndef ALLOC_TRACE_H
#define ALLOC_TRACE_H

#include "alloc/stack.h"

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
	uint32_t id;   /* in the depot, as it was named; 0 not known yet */
};

/*
 * Capture the calling thread's whole stack; it is good until it is released.
 * False: this stack is not for rules, or is deeper than the trace, or the trace
 * is in use below this signal handler: kma_stack_capture() has to do.
 */
bool kma_trace_acquire(struct kma_thread *self, enum kma_stack_use use,
		       struct kma_trace_stack *ret);
void kma_trace_release(struct kma_thread *self);

/* While it is acquired: the id it has, to be told when it comes again. */
void kma_trace_name(struct kma_thread *self, enum kma_stack_use use,
		    uint32_t id);

/* The thread has ended. */
void kma_trace_discard(struct kma_thread *thread);

#endif
