/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the programs of this folder share. Each is one load; it prints one
 * line, which tests/bench/run reads:
 *
 *	CPU WALL	nanoseconds an operation and thread
 *
 * CPU is all threads' processor time by their operations, which a busy
 * machine disturbs little; WALL is elapsed time by the operations of one
 * thread, in which waiting shows.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdint.h>
#include <stdlib.h>

enum { BENCH_THREADS_MAX = 64 };

/* Run work(0) .. work(threads-1) at once, each on its thread, and print. */
void bench_run(unsigned threads, uint64_t operations_each,
	       void (*work)(unsigned index));

/* Argument number at, or what there is without it. */
unsigned long bench_argument(char **argv, int argc, int at,
			     unsigned long otherwise);

/* Call bottom under depth more frames, of two shapes by turns. */
void bench_descend(unsigned depth, void (*bottom)(void *), void *argument);

/* The compiler must believe that the buffer is used. */
static inline void *bench_keep(void *buffer)
{
	__asm__ volatile("" : "+r"(buffer) : : "memory");
	return buffer;
}

static inline uint64_t bench_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 16;
}

static inline uint64_t bench_seed(unsigned index)
{
	return 88172645463325252u ^ (uint64_t)(index + 1) * 0x9e3779b97f4a7c15u;
}

/* Memory that is not used is cheaper than it should be. */
static inline void *bench_touch(void *buffer)
{
	if (buffer)
		*(volatile uint64_t *)buffer = (uint64_t)(uintptr_t)buffer;
	return bench_keep(buffer);
}

#endif
