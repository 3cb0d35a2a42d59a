/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that dies in the way its first argument names, a few calls deep.
 * Functions that a debugger must find on the stack are named crash_.
 */
#include "tests/programs/crash.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A frame that is neither a tail call nor unrolled away. */
#define KEEP(value) __asm__ volatile("" : "+r"(value) : : "memory")

static __attribute__((noinline)) int crash_here(uintptr_t where)
{
	KEEP(where); /* or the compiler knows, and says so */
	return *(volatile int *)where;
}

static __attribute__((noinline)) int crash_deep(int n)
{
	int sum = n;

	if (n)
		sum += crash_deep(n - 1);
	else
		sum += crash_here(0x18);
	KEEP(sum);
	return sum;
}

static inline __attribute__((always_inline)) int crash_inlined(int n)
{
	int sum = crash_deep(n);

	KEEP(sum);
	return sum;
}

static __attribute__((noinline)) int crash_null(void)
{
	return crash_inlined(3);
}

static __attribute__((noinline)) int crash_pointer(void)
{
	int (*volatile nowhere)(void) = (int (*)(void))0x123400;
	int sum = nowhere();

	KEEP(sum);
	return sum;
}

static int crash_compare(const void *a, const void *b)
{
	return crash_here(0x18) + (a < b);
}

static __attribute__((noinline)) int crash_callback(void)
{
	int numbers[4] = { 4, 3, 2, 1 };

	qsort(numbers, 4, sizeof(numbers[0]), crash_compare);
	KEEP(numbers[0]);
	return numbers[0];
}

static void crash_handler(int number)
{
	crash_deep(number - number);
}

static __attribute__((noinline)) int crash_in_handler(void)
{
	int sum;

	signal(SIGUSR1, crash_handler);
	sum = raise(SIGUSR1);
	KEEP(sum);
	return sum;
}

static void *crash_thread(void *argument)
{
	crash_deep(2);
	return argument;
}

static __attribute__((noinline)) int crash_in_thread(void)
{
	pthread_t thread;
	int sum = pthread_create(&thread, NULL, crash_thread, NULL);

	sum += pthread_join(thread, NULL);
	KEEP(sum);
	return sum;
}

static __attribute__((noinline)) int crash_overflow(int n)
{
	char room[1000];
	int sum;

	memset(room, n, sizeof(room));
	if (n == INT_MAX)
		return room[0];
	sum = crash_overflow(n + 1) + room[n % 1000];
	KEEP(sum);
	return sum;
}

static __attribute__((noinline)) int crash_abort(void)
{
	abort();
}

static __attribute__((noinline)) int crash_library(void)
{
	void *library = dlopen(getenv("CRASH_LIBRARY"), RTLD_NOW);
	void *found = library ? dlsym(library, "crash_plugin") : NULL;
	int (*plugin)(int);
	int sum;

	if (!found)
		return 1;
	memcpy(&plugin, &found, sizeof(found));
	sum = plugin(2);
	KEEP(sum);
	return sum;
}

static int crash(const char *how)
{
	if (strcmp(how, "null") == 0)
		return crash_null();
	if (strcmp(how, "pointer") == 0)
		return crash_pointer();
	if (strcmp(how, "callback") == 0)
		return crash_callback();
	if (strcmp(how, "handler") == 0)
		return crash_in_handler();
	if (strcmp(how, "thread") == 0)
		return crash_in_thread();
	if (strcmp(how, "overflow") == 0)
		return crash_overflow(1);
	if (strcmp(how, "abort") == 0)
		return crash_abort();
	if (strcmp(how, "library") == 0)
		return crash_library();
	if (strcmp(how, "cxx") == 0)
		return crash_cxx(2);
	return 2;
}

int main(int argc, char **argv)
{
	int status = argc == 2 ? crash(argv[1]) : 2;

	KEEP(status);
	fprintf(stderr, "crash: still alive\n");
	return status;
}
