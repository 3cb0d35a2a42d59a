/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The load of contract 45: threads allocate and free all sizes, an arena of
 * pages is used, and between two rounds a dump is written. At that moment each
 * thread has buffers, magazines and none in the making.
 */
#include "tests/contract/contract.h"

#include "kma/kma.h"
#include "kma/vmem.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, HELD = 400, ROUNDS = 3, OPERATIONS = 20000 };

static pthread_barrier_t barrier;

static size_t size_for(uint64_t random)
{
	size_t size = random % 5000;

	if (random % 97 == 0)
		size *= 100; /* some above 128 KiB */
	return random % 3 ? size % 200 : size;
}

static void *work(void *argument)
{
	uint64_t state = (uintptr_t)argument * 0x9e3779b97f4a7c15 + 1;
	void *held[HELD] = { NULL };

	for (int round = 0; round < ROUNDS; round++) {
		for (int n = 0; n < OPERATIONS; n++) {
			state = state * 6364136223846793005 +
				1442695040888963407;
			size_t i = (state >> 40) % HELD;

			free(held[i]);
			held[i] = malloc(size_for(state >> 20));
			CHECK(held[i]);
		}
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
	}
	for (size_t i = 0; i < HELD; i++)
		free(held[i]);
	return NULL;
}

static void use_arenas(void)
{
	struct kma_vmem *ids =
		kma_vmem_create("ids", 1, 1000, 1, NULL, 0, KMA_VMC_IDENTIFIER);
	struct kma_vmem *mine =
		kma_vmem_create("mine", 0, 0, 64, kma_vmem_heap(), 0, 0);
	uintptr_t at;

	CHECK(ids && mine);
	for (size_t pages = 1; pages < 20; pages++) {
		CHECK(kma_vmem_alloc(kma_vmem_heap(), pages * 4096,
				     KMA_VM_SLEEP, &at) == 0);
		memset((void *)at, 0x5a, pages * 4096); /* it is memory */
		if (pages % 2)
			kma_vmem_free(kma_vmem_heap(), at, pages * 4096);
	}
	for (int i = 0; i < 10; i++) {
		CHECK(kma_vmem_alloc(ids, 1, KMA_VM_SLEEP, &at) == 0);
		CHECK(kma_vmem_alloc(mine, 100, KMA_VM_SLEEP, &at) == 0);
	}
}

static void stats_agree(void)
{
	struct kma_stats stats, less;

	memset(&less, 0x77, sizeof(less));
	CHECK(kma_stats(&stats, sizeof(stats)) == 0);
	CHECK(stats.version == 1 && stats.size == sizeof(stats));
	CHECK(stats.slabs + stats.large <= stats.heap_in_use);
	CHECK(stats.heap_in_use <= stats.heap_committed);
	CHECK(stats.heap_committed + stats.metadata_committed <=
	      stats.committed);
	CHECK(stats.committed <= stats.reserved);
	CHECK(stats.buffers_in_use <= stats.buffers);
	CHECK(stats.buffers_in_use >= THREADS * HELD / 2);
	CHECK(stats.allocations - stats.frees == stats.buffers_in_use);
	/* A caller of an older version gets what it knows. */
	CHECK(kma_stats(&less, 16) == 0 && less.size == sizeof(stats));
	CHECK(less.committed == UINT64_C(0x7777777777777777));
	CHECK(kma_stats(&less, 4) == -1);
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	CHECK(argc == 2);
	use_arenas();
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, work,
				     (void *)(i + 1)) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		char path[4096];

		pthread_barrier_wait(&barrier);
		snprintf(path, sizeof(path), "%s.%d", argv[1], round);
		stats_agree();
		CHECK(kma_dump(path) == 0);
		pthread_barrier_wait(&barrier);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
