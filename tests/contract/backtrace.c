/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A profiler that takes backtraces with kma_backtrace(), a thousand a second of
 * processor time, while threads allocate: nothing hangs, nothing breaks, and
 * every stack leads out to where its thread began.
 */
#include "tests/contract/contract.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

enum { THREADS = 4, FRAMES = 128, HELD = 300, SAMPLES = 2000 };

static int (*take_backtrace)(void **buffer, int size);
static atomic_ulong taken, astray;
static atomic_bool stop;

/* The return address of the thread's outermost function of ours. */
static _Thread_local void *volatile outermost;

static bool is_in(void *const *frames, int count, const void *wanted)
{
	for (int i = 0; i < count; i++)
		if (frames[i] == wanted)
			return true;
	return false;
}

static void in_handler(int number)
{
	int saved_errno = errno;
	void *frames[FRAMES];
	int count = take_backtrace(frames, FRAMES);

	(void)number;
	if (outermost) {
		taken++;
		if (!is_in(frames, count, outermost))
			astray++;
	}
	errno = saved_errno;
}

__attribute__((noinline)) static void *nested(size_t size, unsigned depth)
{
	void *p = depth ? nested(size, depth - 1) : malloc(size);

	return opaque(p);
}

static void work_once(char **held, uint32_t number)
{
	char **place = &held[number % HELD];

	free(*place);
	*place = nested(number % 700, number % 23);
	CHECK(*place);
	memset(*place, 1, number % 700);
	if (number % 16 == 0) {
		*place = realloc(*place, 1 + number % 3000);
		CHECK(*place);
	}
}

__attribute__((noinline)) static void work(uint32_t number)
{
	char *held[HELD] = { NULL };

	outermost = __builtin_return_address(0);
	while (!stop) {
		number = number * 1664525 + 1013904223;
		work_once(held, number >> 4);
	}
	outermost = NULL;
	for (size_t i = 0; i < HELD; i++)
		free(held[i]);
}

static void *thread_main(void *argument)
{
	work((uint32_t)(uintptr_t)argument);
	return opaque(NULL);
}

int main(void)
{
	struct sigaction action = { .sa_handler = in_handler,
				    .sa_flags = SA_RESTART };
	const struct itimerval every_millisecond = { { 0, 1000 }, { 0, 1000 } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	pthread_t threads[THREADS];

	*(void **)&take_backtrace = dlsym(RTLD_DEFAULT, "kma_backtrace");
	CHECK(take_backtrace);
	CHECK(sigaction(SIGPROF, &action, NULL) == 0);
	CHECK(setitimer(ITIMER_PROF, &every_millisecond, NULL) == 0);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, thread_main,
				     (void *)i) == 0);
	while (taken < SAMPLES)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	stop = true;
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(setitimer(ITIMER_PROF, &never, NULL) == 0);
	printf("%lu backtraces, %lu without the thread's start\n", taken,
	       astray);
	CHECK(astray == 0);
	return 0;
}
