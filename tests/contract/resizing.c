/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Large buffers that grow and shrink, some where they lie and some, as others
 * lie behind them, elsewhere: what they held stays, all they promise can be
 * written, and no tier says that anything is wrong.
 */
#include "tests/contract/contract.h"

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

enum { BUFFERS = 8, STEPS = 1500, THREADS = 2 };

struct box {
	unsigned char *p;
	size_t size;
	unsigned seed;
};

static unsigned next_random(unsigned *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static unsigned char byte_at(const struct box *box, size_t at)
{
	return (unsigned char)(at * 7 + (at >> 12) + box->seed);
}

static void fill(struct box *box, size_t from)
{
	for (size_t at = from; at < box->size; at++)
		box->p[at] = byte_at(box, at);
}

static void check(const struct box *box, size_t to)
{
	for (size_t at = 0; at < to; at += at + 100 < to ? 97 : 1)
		CHECK(box->p[at] == byte_at(box, at));
}

/* By a little, most often, as who appends does. */
static size_t next_size(size_t size, unsigned *state)
{
	switch (next_random(state) % 8) {
	case 0:
		return next_random(state) % (3 << 20);
	case 1:
		return size / 2;
	case 2:
		return size < 4 << 20 ? size * 2 : 1000;
	default:
		return size + next_random(state) % 20000;
	}
}

static void step(struct box *box, unsigned *state)
{
	size_t old = box->size, size = next_size(old, state) + 1;
	unsigned char *p = realloc(box->p, size);

	CHECK(p);
	CHECK((uintptr_t)p % 16 == 0);
	box->p = p;
	box->size = size;
	check(box, old < size ? old : size);
	if (size > old)
		fill(box, old);
	CHECK(malloc_usable_size(p) >= size);
}

static void *thread_main(void *argument)
{
	unsigned state = *(const unsigned *)argument;
	struct box box[BUFFERS] = { { NULL, 0, 0 } };

	for (unsigned i = 0; i < BUFFERS; i++)
		box[i].seed = state + i;
	for (unsigned i = 0; i < STEPS; i++)
		step(&box[next_random(&state) % BUFFERS], &state);
	for (unsigned i = 0; i < BUFFERS; i++) {
		check(&box[i], box[i].size);
		free(box[i].p);
	}
	return NULL;
}

int main(void)
{
	static const unsigned seeds[THREADS] = { 1, 77 };
	pthread_t thread[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, thread_main,
				     (void *)&seeds[i]) == 0);
	for (unsigned i = 0; i < THREADS; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
	return 0;
}
