/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One thread allocates what another frees: a ring between each pair of
 * threads carries the buffers.
 *
 *	handoff PAIRS COUNT
 */
#include "tests/bench/bench.h"

#include <sched.h>
#include <stdatomic.h>

enum { RING = 4096 };

struct ring {
	_Alignas(128) atomic_ulong head;
	_Alignas(128) atomic_ulong tail;
	void *buffers[RING];
};

static struct ring rings[BENCH_THREADS_MAX / 2];
static unsigned long count;

static void produce(struct ring *ring, uint64_t state)
{
	for (unsigned long i = 0; i < count; i++) {
		while (i - atomic_load_explicit(&ring->tail,
						memory_order_acquire) ==
		       RING)
			sched_yield();
		ring->buffers[i % RING] =
			bench_touch(malloc(16 + bench_random(&state) % 241));
		atomic_store_explicit(&ring->head, i + 1, memory_order_release);
	}
}

static void consume(struct ring *ring)
{
	for (unsigned long i = 0; i < count; i++) {
		while (atomic_load_explicit(&ring->head,
					    memory_order_acquire) == i)
			sched_yield();
		free(ring->buffers[i % RING]);
		atomic_store_explicit(&ring->tail, i + 1, memory_order_release);
	}
}

static void work(unsigned index)
{
	struct ring *ring = &rings[index / 2];

	if (index % 2)
		produce(ring, bench_seed(index));
	else
		consume(ring);
}

int main(int argc, char **argv)
{
	unsigned pairs = (unsigned)bench_argument(argv, argc, 1, 1);

	count = bench_argument(argv, argc, 2, 5000000);
	bench_run(pairs * 2, count, work);
	return 0;
}
