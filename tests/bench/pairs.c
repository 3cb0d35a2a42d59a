/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a pair of malloc and free costs at the bottom of stacks of several
 * depths: the same pair again and again, 64 buffers at a time, and one of
 * 100000 live buffers under a stack that differs every time. Thread CPU time,
 * so that a busy machine disturbs little.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 300000, BATCH = 64, LIVE = 100000 };

static double cpu_nanoseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t random_state = 88172645463325252;

static unsigned random_below(unsigned limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % limit;
}

static double result; /* of the function at the bottom */

static void same_pair(void)
{
	double start = cpu_nanoseconds();

	for (int i = 0; i < ROUNDS; i++) {
		void *p = malloc(64);

		__asm__ volatile("" : "+r"(p) : : "memory");
		free(p);
	}
	result = (cpu_nanoseconds() - start) / ROUNDS;
}

static void batches(void)
{
	void *p[BATCH];
	double start = cpu_nanoseconds();

	for (int i = 0; i < ROUNDS / BATCH; i++) {
		for (size_t k = 0; k < BATCH; k++)
			p[k] = malloc(16 + k * 24 % 500);
		for (size_t k = 0; k < BATCH; k++)
			free(p[k]);
	}
	result = (cpu_nanoseconds() - start) / (ROUNDS / BATCH * BATCH);
}

static void *live[LIVE];

static void replace_one(void)
{
	unsigned i = random_below(LIVE);

	free(live[i]);
	live[i] = malloc(16 + random_below(400));
}

typedef void bottom_function(void);
static int small_frame(int depth, bottom_function *bottom);

/* Two frame shapes by turns, each kept a call and not a jump. */
__attribute__((noinline)) static int large_frame(int depth,
						 bottom_function *bottom)
{
	volatile char block[120];

	block[0] = 1;
	return small_frame(depth - 1, bottom) + block[0];
}

__attribute__((noinline)) static int small_frame(int depth,
						 bottom_function *bottom)
{
	volatile char block[8];

	block[0] = 1;
	if (depth > 0)
		return large_frame(depth - 1, bottom) + block[0];
	bottom();
	return block[0];
}

int main(void)
{
	static const int depths[] = { 2, 16, 32 };

	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		small_frame(depths[i], same_pair);
		double same = result;
		small_frame(depths[i], batches);
		printf("%2d frames: %4.0f ns a pair, %4.0f ns in batches\n",
		       depths[i], same, result);
	}
	double start = cpu_nanoseconds();
	for (int i = 0; i < ROUNDS; i++)
		small_frame((int)random_below(24), replace_one);
	printf("random depth, %d live: %.0f ns a pair\n", LIVE,
	       (cpu_nanoseconds() - start) / ROUNDS);
	return 0;
}
