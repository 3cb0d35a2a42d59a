/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two users whose buffers are counted: 200000 of 64 bytes, 2000 of 5000. With
 * "few", the 2000 alone; with "grown", 400 that grew to 1100000; with "shrunk",
 * 1600 that shrank to 140000. With "freed", buffers of all sizes, written to
 * their ends and freed; with "stale", each is written to once more. With
 * "limited", buffers of up to 60 MB that grow where they lie, and shrink: 1, if
 * one cannot.
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

static void *resized[1600];

__attribute__((noinline)) static void grow(void)
{
	for (size_t i = 0; i < 400; i++)
		for (size_t size = 140000; size <= 1100000; size += 4000)
			resized[i] = realloc(resized[i], size);
}

__attribute__((noinline)) static void shrink(void)
{
	for (size_t i = 0; i < 1600; i++)
		resized[i] = realloc(malloc(400000), 140000);
}

static int resize_limited(void)
{
	for (size_t i = 0; i < 30; i++) {
		char *p = NULL;

		for (size_t size = 1 << 20; size < 60 << 20; size += 1 << 16) {
			char *grown = realloc(p, size);

			if (!grown)
				return 1;
			p = grown;
		}
		p = realloc(p, 55 << 20);
		if (!p)
			return 1;
		free(p);
	}
	return 0;
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

static void use_all_freed(int is_stale)
{
	for (size_t size = 1001; size < 4 << 20; size += size / 2)
		use_freed(size, is_stale);
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";

	if (strcmp(way, "few") == 0) {
		allocate_large();
	} else if (strcmp(way, "grown") == 0) {
		grow();
	} else if (strcmp(way, "shrunk") == 0) {
		shrink();
	} else if (strcmp(way, "limited") == 0) {
		return resize_limited();
	} else if (*way) {
		use_all_freed(strcmp(way, "stale") == 0);
	} else {
		allocate_small();
		allocate_large();
	}
	return 0;
}
