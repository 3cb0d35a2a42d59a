/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Allocate a hundred buffers of mixed sizes, then free them in order.
 *
 *	batch THREADS COUNT
 */
#include "tests/bench/bench.h"

enum { BATCH = 100 };

static unsigned long count;

static void work(unsigned index)
{
	uint64_t state = bench_seed(index);
	void *buffers[BATCH];

	for (unsigned long i = 0; i < count / BATCH; i++) {
		for (int k = 0; k < BATCH; k++)
			buffers[k] = bench_touch(
				malloc(16 + bench_random(&state) % 497));
		for (int k = 0; k < BATCH; k++)
			free(buffers[k]);
	}
}

int main(int argc, char **argv)
{
	unsigned threads = (unsigned)bench_argument(argv, argc, 1, 1);

	count = bench_argument(argv, argc, 2, 10000000);
	bench_run(threads, count / BATCH * BATCH, work);
	return 0;
}
