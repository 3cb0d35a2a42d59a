/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Allocate and free, again and again.
 *
 *	pair SIZE THREADS DEPTH COUNT
 *
 * SIZE 0 is a mix of 16 to 1024 bytes. DEPTH is how many frames lie over the
 * one that allocates.
 */
#include "tests/bench/bench.h"

static unsigned long size, depth, count;

static void pairs(void *argument)
{
	uint64_t *state = argument;

	for (unsigned long i = 0; i < count; i++) {
		size_t wanted = size ? size : 16 + bench_random(state) % 1009;

		free(bench_touch(malloc(wanted)));
	}
}

static void work(unsigned index)
{
	uint64_t state = bench_seed(index);

	bench_descend((unsigned)depth, pairs, &state);
}

int main(int argc, char **argv)
{
	unsigned threads = (unsigned)bench_argument(argv, argc, 2, 1);

	size = bench_argument(argv, argc, 1, 64);
	depth = bench_argument(argv, argc, 3, 0);
	count = bench_argument(argv, argc, 4, 10000000);
	bench_run(threads, count, work);
	return 0;
}
