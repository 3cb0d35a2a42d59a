/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many threads, buffers freed by others than took them, threads that come and
 * go: every byte stays its owner's, and nothing is lost on the way.
 */
#include "tests/contract/boxes.h"
#include "tests/contract/contract.h"

#include <malloc.h>
#include <pthread.h>

enum { THREADS = 4, TRADES = 50000, VISITS = 100 };

static void *trade(void *argument)
{
	uint64_t random = (uintptr_t)argument;

	for (int i = 0; i < TRADES; i++)
		boxes_trade(&random);
	return NULL;
}

/* A short life: take, leave some to others, end. */
static void *visit(void *argument)
{
	uint64_t random = (uintptr_t)argument;

	for (int i = 0; i < VISITS; i++)
		boxes_trade(&random);
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

/* What the program has, as the allocator's own counters tell it. */
static size_t in_use(void)
{
	return mallinfo2().uordblks;
}

int main(void)
{
	uintptr_t seed = 1;

	run(visit, seed++); /* what libc keeps for ever is kept from now on */
	boxes_settle();
	malloc_trim(0);

	size_t before = in_use();

	run(trade, seed++);
	for (int i = 0; i < VISITS; i++)
		run(visit, seed++);
	boxes_settle();
	/* Threads' stacks that libc keeps are not from us. */
	CHECK(in_use() <= before + 4096);
	return 0;
}
