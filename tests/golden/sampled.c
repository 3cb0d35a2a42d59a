/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two users whose buffers are counted: 200000 of 64 bytes, 2000 of 5000. */
#include <stdlib.h>

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

int main(void)
{
	allocate_small();
	allocate_large();
	return 0;
}
