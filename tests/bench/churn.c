/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A heap of live objects of which one after the other, chosen at random, is
 * freed and replaced.
 *
 *	churn LIVE THREADS DEPTH COUNT
 *
 * With a DEPTH the stack is a different one each time, of up to DEPTH frames.
 * The heap is filled before the clock runs.
 */
#include "tests/bench/bench.h"

#include <stdio.h>

static unsigned long live, depth, count;
static void **slots[BENCH_THREADS_MAX];

struct churner {
	void **slots;
	uint64_t state;
};

static void replace(void *argument)
{
	struct churner *churner = argument;
	uint64_t number = bench_random(&churner->state);
	void **slot = &churner->slots[number % live];

	free(*slot);
	*slot = bench_touch(malloc(16 + (number >> 24) % 369));
}

static void work(unsigned index)
{
	struct churner churner = { slots[index], bench_seed(index) };

	for (unsigned long i = 0; i < count; i++)
		if (depth)
			bench_descend((unsigned)(bench_random(&churner.state) %
						 depth),
				      replace, &churner);
		else
			replace(&churner);
}

static void fill(unsigned threads)
{
	uint64_t state = bench_seed(threads);

	live /= threads;
	for (unsigned i = 0; i < threads; i++) {
		slots[i] = calloc(live, sizeof(void *));
		if (!slots[i]) {
			perror("churn");
			exit(1);
		}
		for (unsigned long k = 0; k < live; k++)
			slots[i][k] = bench_touch(
				malloc(16 + bench_random(&state) % 369));
	}
}

int main(int argc, char **argv)
{
	unsigned threads = (unsigned)bench_argument(argv, argc, 2, 1);

	live = bench_argument(argv, argc, 1, 1000000);
	depth = bench_argument(argv, argc, 3, 0);
	count = bench_argument(argv, argc, 4, 2000000);
	if (threads < 1 || threads > BENCH_THREADS_MAX || live < threads)
		return 2;
	fill(threads);
	bench_run(threads, count, work);
	return 0;
}
