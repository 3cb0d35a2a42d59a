/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampling: some requests get an audited (audit=1/BYTES) or a guarded
 * (guard=1/N) buffer, all others go the fast way of tier off.
 *
 * Each thread counts down what it asks for, size + 1 a request, or 1 where
 * requests are counted, from a random number of exponential distribution whose
 * mean is the rate. The request that takes it below zero is the sample. So a
 * request of cost c is one with the probability 1 - exp(-c / rate), whatever
 * came before it, and 1 / that is what it stands for: the debugger's estimates
 * are unbiased. The rate is in kma_root.
 */
#ifndef ALLOC_SAMPLE_H
#define ALLOC_SAMPLE_H

#include "alloc/thread.h"

#include <stdbool.h>
#include <stddef.h>

/* What of a size counts: all ones, or 0 where requests are counted. */
extern size_t kma_sample_mask;

static inline int64_t kma_sample_cost(size_t size)
{
	return (int64_t)(size & kma_sample_mask) + 1;
}

/* As the options have it, before the first thread's record is made. */
void kma_sample_init(void);

/* A thread's first countdown. */
void kma_sample_thread_init(struct kma_thread *thread);

/* Count a request; true: it is a sample. */
bool kma_sample_take(struct kma_thread *thread, size_t size);

#endif
