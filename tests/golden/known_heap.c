/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A heap of which everything is known: how many buffers of each size, by which
 * function, on which line. What it has is told on stdout, one "NAME ADDRESS"
 * a line; known_heap.py compares what kdbg says of the dump.
 *
 * The sizes are such that neither libc nor the loader uses their caches.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SMALL_SIZE = 1200, /* kmem_alloc_1344 */
	SMALL_COUNT = 137,
	FREED_COUNT = 21, /* of SMALL_SIZE too, given back */
	MEDIUM_SIZE = 5000,
	MEDIUM_COUNT = 5,
	LARGE_SIZE = 300000, /* kmem_oversize */
	LARGE_COUNT = 3,
};

static void *small[SMALL_COUNT], *medium[MEDIUM_COUNT], *large[LARGE_COUNT];
static void *freed[FREED_COUNT];
static uint64_t known_datum = 42;
static __thread uint64_t known_own = 43; /* each thread has one */

static __attribute__((noinline)) void take_small(size_t i)
{
	small[i] = malloc(SMALL_SIZE); /* line of small */
	memset(small[i], 1, SMALL_SIZE);
}

static __attribute__((noinline)) void take_medium(size_t i)
{
	medium[i] = malloc(MEDIUM_SIZE); /* line of medium */
	memset(medium[i], 1, MEDIUM_SIZE);
}

static __attribute__((noinline)) void take_large(size_t i)
{
	large[i] = calloc(1, LARGE_SIZE); /* line of large */
}

static __attribute__((noinline)) void give_back(size_t i)
{
	free(freed[i]);                    /* line of free */
	__asm__ volatile("" ::: "memory"); /* no tail call: a frame stays */
}

static void *take_in_thread(void *argument)
{
	for (size_t i = 0; i < MEDIUM_COUNT; i++)
		take_medium(i);
	return argument;
}

/* volatile: a loop that is not unrolled calls from one address. */
static volatile size_t large_count = LARGE_COUNT;

static void take_all(void)
{
	for (size_t i = 0; i < FREED_COUNT; i++)
		freed[i] = malloc(SMALL_SIZE);
	for (size_t i = 0; i < SMALL_COUNT; i++)
		take_small(i);
	for (size_t i = 0; i < large_count; i++)
		take_large(i);
	for (size_t i = 0; i < FREED_COUNT; i++)
		give_back(i);
}

int main(void)
{
	pthread_t thread;
	uint64_t on_stack = 1;

	take_all();
	if (pthread_create(&thread, NULL, take_in_thread, NULL) != 0)
		return 1;
	pthread_join(thread, NULL);
	printf("small %p\n", small[7]);
	printf("medium %p\n", medium[2]);
	printf("large %p\n", large[1]);
	printf("freed %p\n", freed[3]);
	printf("datum %p\n", (void *)&known_datum);
	printf("own %p\n", (void *)&known_own);
	printf("code %p\n", (void *)(uintptr_t)take_small);
	printf("stack %p\n", (void *)&on_stack);
	return 0;
}
