/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many threads, buffers freed by others than took them, threads that come and
 * go: every byte stays its owner's, and nothing is lost on the way.
 *
 * Usage: threads [SECONDS]
 */
#include "tests/contract/contract.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

enum { THREADS = 4, BOXES = 4096, OPERATIONS = 200000, LARGEST = 20000 };

/* Where threads leave buffers for each other. A buffer starts with its size
 * and ends, and is full, with the low byte of that. */
static _Atomic(size_t *) boxes[BOXES];
static atomic_ulong allocated, freed;

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) +
		 UINT64_C(1442695040888963407);
	return *state >> 33;
}

static size_t *box_fill(uint64_t *random)
{
	size_t size = sizeof(size_t) + next_random(random) % LARGEST;
	size_t *buffer;

	if (next_random(random) % 1000 == 0)
		size += 200000; /* pages of its own */
	if (next_random(random) % 3 == 0)
		size = sizeof(size_t) + size % 200; /* most are small */
	buffer = next_random(random) % 8 ? malloc(size) : calloc(1, size);
	CHECK(buffer && (uintptr_t)buffer % 16 == 0);
	memset(buffer, (int)(size & 0xff), size);
	*buffer = size;
	atomic_fetch_add(&allocated, 1);
	return buffer;
}

static void box_empty(size_t *buffer)
{
	const unsigned char *byte = (const unsigned char *)buffer;

	if (!buffer)
		return;
	for (size_t i = sizeof(size_t); i < *buffer; i++)
		CHECK(byte[i] == (unsigned char)*buffer);
	free(buffer);
	atomic_fetch_add(&freed, 1);
}

static void *trade(void *argument)
{
	uint64_t random = (uintptr_t)argument;

	for (int i = 0; i < OPERATIONS; i++) {
		size_t box = next_random(&random) % BOXES;

		box_empty(atomic_exchange(&boxes[box], box_fill(&random)));
	}
	return NULL;
}

/* A short life: take, leave some to others, end. */
static void *visit(void *argument)
{
	uint64_t random = (uintptr_t)argument;

	for (int i = 0; i < 100; i++) {
		size_t box = next_random(&random) % BOXES;

		box_empty(atomic_exchange(&boxes[box], box_fill(&random)));
	}
	return NULL;
}

static void run(void *(*function)(void *), uintptr_t seed)
{
	pthread_t thread[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, function,
				     (void *)(seed * THREADS + i + 1)) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

static void empty_all(void)
{
	for (size_t i = 0; i < BOXES; i++)
		box_empty(atomic_exchange(&boxes[i], NULL));
	CHECK(allocated == freed);
}

/* What the program has, as the allocator's own counters tell it. */
static size_t in_use(void)
{
	return mallinfo2().uordblks;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 0);
	uintptr_t seed = 1;

	run(visit, seed++); /* what libc keeps for ever is kept from now on */
	empty_all();
	malloc_trim(0);

	size_t before = in_use(), rounds = 0;

	do {
		run(trade, seed++);
		for (int i = 0; i < 100; i++)
			run(visit, seed++);
		empty_all();
		rounds++;
	} while (time(NULL) < end);
	/* Threads' stacks that libc keeps are not from us. */
	CHECK(in_use() <= before + 4096);
	printf("%zu rounds, %lu buffers\n", rounds, (unsigned long)allocated);
	return 0;
}
