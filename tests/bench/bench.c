/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/bench/bench.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

struct worker {
	pthread_t thread;
	unsigned index;
	void (*work)(unsigned index);
	pthread_barrier_t *start;
};

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *worker_main(void *argument)
{
	struct worker *worker = argument;

	pthread_barrier_wait(worker->start);
	worker->work(worker->index);
	return NULL;
}

/* The last worker is the main thread: most programs have no other. */
void bench_run(unsigned threads, uint64_t operations_each,
	       void (*work)(unsigned index))
{
	struct worker workers[BENCH_THREADS_MAX];
	pthread_barrier_t start;

	if (threads < 1 || threads > BENCH_THREADS_MAX) {
		fprintf(stderr, "between 1 and %d threads\n",
			BENCH_THREADS_MAX);
		exit(2);
	}
	pthread_barrier_init(&start, NULL, threads);
	for (unsigned i = 0; i < threads; i++) {
		workers[i] = (struct worker){ .index = i,
					      .work = work,
					      .start = &start };
		if (i + 1 < threads)
			pthread_create(&workers[i].thread, NULL, worker_main,
				       &workers[i]);
	}
	double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	worker_main(&workers[threads - 1]);
	for (unsigned i = 0; i + 1 < threads; i++)
		pthread_join(workers[i].thread, NULL);
	wall = now(CLOCK_MONOTONIC) - wall;
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("%.3f %.3f\n", cpu / (double)(operations_each * threads),
	       wall / (double)operations_each);
}

unsigned long bench_argument(char **argv, int argc, int at,
			     unsigned long otherwise)
{
	return argc > at ? strtoul(argv[at], NULL, 0) : otherwise;
}

/* volatile keeps both functions' calls from becoming jumps. */
static int small_frame(unsigned depth, void (*bottom)(void *), void *argument);

__attribute__((noinline)) static int
large_frame(unsigned depth, void (*bottom)(void *), void *argument)
{
	volatile char block[120];

	block[0] = 1;
	return small_frame(depth - 1, bottom, argument) + block[0];
}

__attribute__((noinline)) static int
small_frame(unsigned depth, void (*bottom)(void *), void *argument)
{
	volatile char block[8];

	block[0] = 1;
	if (depth > 0)
		return large_frame(depth - 1, bottom, argument) + block[0];
	bottom(argument);
	return block[0];
}

void bench_descend(unsigned depth, void (*bottom)(void *), void *argument)
{
	if (depth % 2)
		large_frame(depth, bottom, argument);
	else
		small_frame(depth, bottom, argument);
}
