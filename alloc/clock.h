/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time as the records keep it: raw ticks (the TSC, or CLOCK_MONOTONIC
 * nanoseconds where rdtsc faults), with pairs in kma_root to turn ticks into
 * nanoseconds.
 */
#ifndef ALLOC_CLOCK_H
#define ALLOC_CLOCK_H

#include "alloc/arch.h"

#include <stdbool.h>
#include <stdint.h>

/* Time is the TSC. */
extern bool kma_clock_ticks __attribute__((visibility("hidden")));

uint64_t kma_clock_nanoseconds(void); /* where it is not */

static inline uint64_t kma_clock_now(void)
{
	return __builtin_expect(kma_clock_ticks, 1) ? kma_arch_ticks()
						    : kma_clock_nanoseconds();
}

/* Whole seconds since the system's start, as of its last tick; cheap. */
uint32_t kma_clock_seconds(void);

/* Take the first pair; take another (at dump, at report, and once a second
 * while magazines and pages go to and fro). */
void kma_clock_init(void);
void kma_clock_calibrate(void);

/* For reports. */
uint64_t kma_clock_nanoseconds_between(uint64_t from, uint64_t to);

#endif
