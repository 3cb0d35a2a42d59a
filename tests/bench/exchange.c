/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests allocated by one set of threads and freed by any, after Lever and
 * Boreham's xmalloc-test: every thread takes a bundle that some other thread
 * left in the exchange, frees it, and leaves a new one.
 *
 *	exchange THREADS COUNT
 */
#include "tests/bench/bench.h"

#include <stdatomic.h>

enum { BUNDLE = 60, PLACES = 64 };

struct bundle {
	void *buffers[BUNDLE];
};

static _Atomic(struct bundle *) places[PLACES];
static unsigned long count;

static struct bundle *bundle_create(uint64_t *state)
{
	struct bundle *bundle = malloc(sizeof(*bundle));

	if (!bundle)
		exit(1);
	for (int i = 0; i < BUNDLE; i++)
		bundle->buffers[i] =
			bench_touch(malloc(16 + bench_random(state) % 240));
	return bundle;
}

static void bundle_destroy(struct bundle *bundle)
{
	if (!bundle)
		return;
	for (int i = 0; i < BUNDLE; i++)
		free(bundle->buffers[i]);
	free(bundle);
}

static void work(unsigned index)
{
	uint64_t state = bench_seed(index);

	for (unsigned long i = 0; i < count / BUNDLE; i++) {
		struct bundle *mine = bundle_create(&state);

		bundle_destroy(atomic_exchange(
			&places[bench_random(&state) % PLACES], mine));
	}
}

int main(int argc, char **argv)
{
	unsigned threads = (unsigned)bench_argument(argv, argc, 1, 2);

	count = bench_argument(argv, argc, 2, 5000000);
	bench_run(threads, count / BUNDLE * BUNDLE, work);
	for (int i = 0; i < PLACES; i++)
		bundle_destroy(places[i]);
	return 0;
}
