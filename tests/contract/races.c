/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The allocator under ThreadSanitizer: threads trade buffers, come and go,
 * trim and ask for statistics, while the sanitizer watches every access that
 *the allocator makes. It keeps malloc for itself, so the allocator is linked in
 * and called by its own names.
 *
 *	races SECONDS
 *
 * A race is reported and makes the exit status 66.
 */
#include "alloc/allocate.h"
#include "alloc/fast.h"
#include "alloc/mallinfo.h"
#include "alloc/thread.h"
#include "alloc/tier.h"
#include "tests/contract/contract.h"

#include "kma/kma.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, BOXES = 512, LARGEST = 6000, VISIT_TRADES = 200 };

static _Atomic(void *) boxes[BOXES];
static atomic_bool is_over;

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1;
	return *state >> 33;
}

static void give_back(void *p)
{
	if (p && !kma_fast_release(p))
		kma_release(p, SIZE_MAX, KMA_FAMILY_MALLOC, "free");
}

static void trade(uint64_t *random)
{
	struct kma_request request = {
		.size = 1 + next_random(random) % LARGEST,
		.align = 16,
	};

	if (next_random(random) % 500 == 0)
		request.size += KMA_CACHED_MAX;

	char *new = kma_fast_allocate(request.size);

	if (!new)
		new = kma_allocate(&request);

	CHECK(new);
	memset(new, 1, request.size < 64 ? request.size : 64);
	if (next_random(random) % 8 == 0)
		new = kma_reallocate(new, request.size * 2);
	give_back(atomic_exchange(&boxes[next_random(random) % BOXES], new));
}

static void *visit(void *argument)
{
	uint64_t random = (uintptr_t)argument;

	for (int i = 0; i < VISIT_TRADES; i++)
		trade(&random);
	return NULL;
}

static void ask(void)
{
	struct kma_stats stats;

	CHECK(mallinfo2().arena > 0);
	CHECK(kma_stats(&stats, sizeof(stats)) == 0);
	CHECK(stats.allocations >= stats.buffers_in_use);
}

static void *live(void *argument)
{
	uint64_t random = (uintptr_t)argument;
	pthread_t visitor;

	while (!is_over) {
		uint64_t choice = next_random(&random) % 4000;

		if (choice == 0)
			kma_trim();
		else if (choice < 3)
			ask();
		else if (choice < 8) {
			CHECK(pthread_create(&visitor, NULL, visit,
					     (void *)next_random(&random)) ==
			      0);
			CHECK(pthread_join(visitor, NULL) == 0);
		} else
			trade(&random);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[THREADS];

	CHECK(argc == 2);
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, live, (void *)i) == 0);
	sleep((unsigned)atoi(argv[1]));
	is_over = true;
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
	for (int i = 0; i < BOXES; i++)
		give_back(boxes[i]);
	return 0;
}
