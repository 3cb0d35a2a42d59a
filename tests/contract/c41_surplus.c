/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was freed goes back to the heap and to the system, but for what is kept
 * for the next time. A type that hoards, as 386BSD's M_MBUF does, keeps its
 * pages.
 */
#include "tests/contract/kernel.h"

#define KMA_BSD_NO_LIBC_NAMES
#include <kma/bsd_malloc.h>

enum { COUNT = 200000, FEW = 10000, SIZE = 64, KEPT = 4 << 20 };

static void *pieces[COUNT];

/* Bytes of this process that are in memory. */
static size_t resident(void)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	unsigned long size, pages;

	CHECK(statm != NULL);
	CHECK(fscanf(statm, "%lu %lu", &size, &pages) == 2);
	fclose(statm);
	return pages * 4096;
}

static void fill(int type, int count)
{
	for (int i = 0; i < count; i++) {
		pieces[i] = bsd_malloc(SIZE, type, M_WAITOK);
		memset(pieces[i], 1, SIZE);
	}
}

static void empty(int type, int count)
{
	for (int i = 0; i < count; i++)
		bsd_free(pieces[i], type);
}

int main(void)
{
	size_t used, before, most;

	/* Of 10 000 there is less than is kept. */
	fill(M_TEMP, FEW);
	empty(M_TEMP, FEW);
	kma_reap();
	used = kma_heap_used();
	before = resident();
	fill(M_TEMP, COUNT);
	CHECK(kma_heap_used() > used + (size_t)COUNT * SIZE / 2);
	most = resident();
	CHECK(most > before + (size_t)COUNT * SIZE / 2);
	empty(M_TEMP, COUNT);
	CHECK(kma_heap_used() < used + KEPT);
	CHECK(resident() < most - (size_t)COUNT * SIZE / 2);

	fill(M_MBUF, COUNT);
	most = kma_heap_used();
	empty(M_MBUF, COUNT);
	kma_reap();
	CHECK(kma_heap_used() > most - KEPT);
	return 0;
}
