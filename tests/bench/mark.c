/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long the steps of ::findleaks take on a dump or a core, in seconds:
 * opening it, reading the heap's structures, marking, grouping.
 *
 *	mark FILE [ROUNDS]
 *
 * Processor time of all threads, and marking's wall clock time; the best of the
 * rounds. By taskset -c 0 marking has one processor.
 */
#include "kdbg/leaks.h"
#include "kdbg/session.h"
#include "kdbg/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum step {
	STEP_OPEN,
	STEP_HEAP,
	STEP_MARK,
	STEP_GROUP,
	STEP_WALL,
	STEP_COUNT
};

static double at(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double now(void)
{
	return at(CLOCK_PROCESS_CPUTIME_ID);
}

static struct err *measure(const char *path, double times[STEP_COUNT],
			   struct reach_totals *totals)
{
	const struct target_options options = { 0 };
	const struct heap_slab *slabs;
	struct session session;
	struct target *target;
	struct leaks *leaks;
	struct reach *reach;
	struct heap *heap;
	double start = now();
	struct err *err = target_open(path, &options, &target);

	if (!err)
		err = session_init(&session, target, NULL, NULL);
	if (err)
		return err;
	times[STEP_OPEN] = now() - start;
	err = session_heap(&session, &heap);
	if (!err)
		heap_slabs(heap, &slabs);
	times[STEP_HEAP] = now() - start;
	times[STEP_WALL] = at(CLOCK_MONOTONIC);
	if (!err)
		err = session_reach(&session, &reach);
	times[STEP_MARK] = now() - start;
	times[STEP_WALL] = at(CLOCK_MONOTONIC) - times[STEP_WALL];
	if (!err)
		*totals = *reach_totals(reach);
	if (!err)
		err = session_leaks(&session, &leaks);
	times[STEP_GROUP] = now() - start;
	session_deinit(&session);
	for (int i = STEP_GROUP; i > 0; i--)
		times[i] -= times[i - 1];
	return err;
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 3;
	double best[STEP_COUNT] = { 0 }, times[STEP_COUNT];
	struct reach_totals totals = { 0 };

	for (int round = 0; argc > 1 && round < rounds; round++) {
		struct err *err = measure(argv[1], times, &totals);

		if (err) {
			char text[1024];

			err_describe(err, text, sizeof(text));
			fprintf(stderr, "%s\n", text);
			return 1;
		}
		for (int i = 0; i < STEP_COUNT; i++)
			if (!round || times[i] < best[i])
				best[i] = times[i];
	}
	if (argc < 2 || rounds < 1)
		return 2;
	printf("open %.3f heap %.3f mark %.3f group %.3f wall %.3f: %" PRIu64
	       " buffers, %" PRIu64 " possible, %" PRIu64 " leaked\n",
	       best[STEP_OPEN], best[STEP_HEAP], best[STEP_MARK],
	       best[STEP_GROUP], best[STEP_WALL], totals.buffers,
	       totals.possible, totals.leaked);
	return 0;
}
