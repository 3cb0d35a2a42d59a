/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a process, after everything of the program's has run.
 *
 * exit() runs what was registered in the reverse order. ld.so's destructors
 * were registered by the C start-up code, after the first allocation; what is
 * registered from there, and without a dso whose unloading would run it early,
 * comes after all of them. A destructor of our own would run too early.
 * _exit and _Exit run nothing: interpose.c stands in their place.
 */
#include "alloc/dump_impl.h"

extern int __cxa_atexit(void (*function)(void *), void *argument, void *dso);
extern int __cxa_at_quick_exit(void (*function)(void *), void *dso);

/* glibc hands the exit status to every such function, after its argument. */
static void at_exit(void *argument, int status)
{
	(void)argument;
	kma_dump_exit(status);
}

static int quick_status = (int)DUMP_EXIT_STATUS_UNKNOWN;

void kma_dump_expect_quick_exit(int status)
{
	quick_status = status;
}

static void at_quick(void *argument)
{
	(void)argument;
	kma_dump_exit(quick_status);
}

void dump_exit_init(void)
{
	__cxa_atexit((void (*)(void *))(uintptr_t)at_exit, NULL, NULL);
	__cxa_at_quick_exit(at_quick, NULL);
}
