/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Allocate, write all of it, free, again and again: what a buffer of any size
 * costs that is used.
 *
 *	written SIZE COUNT
 */
#include "tests/bench/bench.h"

#include <string.h>

static unsigned long size, count;

static void work(unsigned index)
{
	(void)index;
	for (unsigned long i = 0; i < count; i++) {
		char *buffer = malloc(size);

		if (!buffer)
			exit(1);
		memset(buffer, (int)i, size);
		free(bench_keep(buffer));
	}
}

int main(int argc, char **argv)
{
	size = bench_argument(argv, argc, 1, 1024);
	count = bench_argument(argv, argc, 2, 1000000);
	bench_run(1, count, work);
	return 0;
}
