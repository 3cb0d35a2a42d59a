/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time as the records keep it: raw ticks (the TSC, or CLOCK_MONOTONIC
 * nanoseconds where rdtsc faults), with pairs in kma_root to turn ticks into
 * nanoseconds.
 */
#ifndef ALLOC_CLOCK_H
#define ALLOC_CLOCK_H

#include <stdint.h>

uint64_t kma_clock_now(void);

/* Take the first pair; take another (at dump and at report). */
void kma_clock_init(void);
void kma_clock_calibrate(void);

/* For reports. */
uint64_t kma_clock_nanoseconds_between(uint64_t from, uint64_t to);

#endif
