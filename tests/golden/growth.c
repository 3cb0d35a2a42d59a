/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A heap that is dumped four times: one site leaks at every step, a cache fills
 * at the first, one site gives back. growth.py knows the figures. */
#include "kma/kma.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 4, LEAKED = 100, CACHED = 5000, GIVEN = 64 };

static void *volatile kept[STEPS * LEAKED + CACHED + GIVEN];
static size_t kept_count;

static __attribute__((noinline)) void *keep(void *p)
{
	kept[kept_count++] = p;
	return p;
}

static __attribute__((noinline)) void leak(void)
{
	for (int i = 0; i < LEAKED; i++)
		keep(malloc(50));
}

static __attribute__((noinline)) void fill_cache(void)
{
	for (int i = 0; i < CACHED; i++)
		keep(malloc(20));
}

static __attribute__((noinline)) void take(void **given)
{
	for (int i = 0; i < GIVEN; i++)
		given[i] = keep(malloc(1000));
}

static void give_back(void **given, int step)
{
	for (int i = step * GIVEN / STEPS; i < (step + 1) * GIVEN / STEPS; i++)
		free(given[i]);
}

int main(int argc, char **argv)
{
	void *given[GIVEN];

	if (argc <= STEPS)
		return 2;
	take(given);
	for (int step = 0; step < STEPS; step++) {
		leak();
		if (step == 1)
			fill_cache();
		give_back(given, step);
		if (kma_dump(argv[step + 1]) != 0) {
			perror(argv[step + 1]);
			return 1;
		}
	}
	return 0;
}
