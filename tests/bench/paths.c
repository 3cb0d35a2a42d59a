/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pair under another stack each time: one way out of PATHS, at random, down
 * a tree of functions, so that stacks differ from the outermost frame on.
 *
 *	paths DEPTH PATHS COUNT
 *
 * PATHS 1 is the same way every time: what is left is what new stacks cost.
 */
#include "tests/bench/bench.h"

enum { SIZE = 64 };

static unsigned long depth, paths, count;

struct step {
	uint32_t way;
	unsigned left;
};

/* volatile keeps the calls from becoming jumps. */
static int descend(struct step step);

__attribute__((noinline)) static int left_frame(struct step step)
{
	volatile char block[24];

	block[0] = 1;
	return descend(step) + block[0];
}

__attribute__((noinline)) static int right_frame(struct step step)
{
	volatile char block[72];

	block[0] = 1;
	return descend(step) + block[0];
}

static void pair(void)
{
	free(bench_touch(malloc(SIZE)));
}

/* A bit of the way for each two frames. */
__attribute__((noinline)) static int descend(struct step step)
{
	volatile char block[8];
	struct step next = { step.way >> 1, step.left - 1 };

	block[0] = 1;
	if (step.left == 0)
		pair();
	else if (step.way & 1)
		return left_frame(next) + block[0];
	else
		return right_frame(next) + block[0];
	return block[0];
}

static void work(unsigned index)
{
	uint64_t state = bench_seed(index);

	for (unsigned long i = 0; i < count; i++) {
		uint64_t number = bench_random(&state) % paths;
		uint64_t way = (number + 1) * 0x9e3779b97f4a7c15u;

		descend((struct step){ (uint32_t)(way >> 32),
				       (unsigned)depth / 2 });
	}
}

int main(int argc, char **argv)
{
	depth = bench_argument(argv, argc, 1, 16);
	paths = bench_argument(argv, argc, 2, 2000);
	count = bench_argument(argv, argc, 3, 1000000);
	if (paths == 0)
		return 2;
	bench_run(1, count, work);
	return 0;
}
