/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two users whose buffers are counted: 200000 of 64 bytes, 2000 of 5000. With
 * an argument, buffers of all sizes, written to their ends and freed instead;
 * with a second one, each is written to once more.
 */
#include <stdlib.h>
#include <string.h>

enum { SMALL = 200000, LARGE = 2000 };

static void *small[SMALL], *large[LARGE];

__attribute__((noinline)) static void allocate_small(void)
{
	for (int i = 0; i < SMALL; i++)
		small[i] = malloc(64);
}

__attribute__((noinline)) static void allocate_large(void)
{
	for (int i = 0; i < LARGE; i++)
		large[i] = malloc(5000);
}

static char *volatile freed;

static void use_freed(size_t size, int is_stale)
{
	freed = malloc(size);
	memset(freed, 'x', size);
	free(freed);
	if (is_stale)
		freed[1000] = 'y';
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		for (size_t size = 1001; size < 4 << 20; size += size / 2)
			use_freed(size, argc > 2);
		return 0;
	}
	allocate_small();
	allocate_large();
	return 0;
}
