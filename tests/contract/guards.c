/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tier guard at size: 60 000 live buffers, and as many freed, stay far below
 * vm.max_map_count; each is usable to its last byte; what is freed and comes
 * again is clean. Run under KMA_DEBUG=guard.
 */
#include "tests/contract/contract.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE = 60000, MAPPINGS_MAX = 1000 };

static char *buffers[LIVE];

static size_t count_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	size_t lines = 0;
	int c;

	while (maps && (c = getc(maps)) != EOF)
		lines += c == '\n';
	if (maps)
		fclose(maps);
	return lines;
}

static size_t size_of(size_t i)
{
	return i % 500 ? 1 + i % 300 : 200000 + i;
}

static void allocate_all(void)
{
	for (size_t i = 0; i < LIVE; i++) {
		buffers[i] = malloc(size_of(i));
		CHECK(buffers[i]);
		memset(buffers[i], (int)(i & 0xff), size_of(i));
	}
}

static void free_all(void)
{
	for (size_t i = 0; i < LIVE; i++) {
		CHECK(buffers[i][size_of(i) - 1] == (char)(i & 0xff));
		free(buffers[i]);
	}
}

static void check_alignments(void)
{
	for (size_t align = 16; align <= 1 << 20; align *= 2)
		for (size_t size = 1; size < 100000; size = size * 7 + 3) {
			char *p = aligned_alloc(align, size);

			CHECK(p && (uintptr_t)p % align == 0);
			memset(p, 1, size);
			p = realloc(p, size + 1000);
			CHECK(p && p[size - 1] == 1);
			free(p);
		}
}

int main(void)
{
	allocate_all();
	CHECK(count_mappings() < MAPPINGS_MAX);
	free_all();
	allocate_all();
	CHECK(count_mappings() < MAPPINGS_MAX);
	free_all();
	check_alignments();
	char *zeros = calloc(100, 100);
	for (size_t i = 0; i < 10000; i++)
		CHECK(zeros[i] == 0);
	return 0;
}
