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

#include "alloc/options.h"
#include "alloc/unwind.h"

#include <stdlib.h>

extern int __cxa_atexit(void (*function)(void *), void *argument, void *dso);
extern int __cxa_at_quick_exit(void (*function)(void *), void *dso);

/*
 * Where the program is, or rather was: the caller of exit(). What earlier calls
 * left on the stack where exit() and its handlers now have their frames would
 * pass for references.
 */
__attribute__((always_inline)) static inline void
capture_caller(uintptr_t function, struct kma_registers *ret)
{
	kma_arch_registers(ret);
	kma_unwind_out_of(function, ret);
}

/* glibc hands the exit status to every such function, after its argument. */
static void at_exit(void *argument, int status)
{
	struct kma_registers here = { 0 };

	(void)argument;
	if (kma_options.dump.on_exit || kma_options.dump.on_error)
		capture_caller((uintptr_t)exit, &here);
	kma_dump_exit(status, &here);
}

static int quick_status = (int)DUMP_EXIT_STATUS_UNKNOWN;

void kma_dump_expect_quick_exit(int status)
{
	quick_status = status;
}

static void at_quick(void *argument)
{
	struct kma_registers here = { 0 };

	(void)argument;
	if (kma_options.dump.on_exit || kma_options.dump.on_error)
		capture_caller((uintptr_t)quick_exit, &here);
	kma_dump_exit(quick_status, &here);
}

void dump_exit_init(void)
{
	__cxa_atexit((void (*)(void *))(uintptr_t)at_exit, NULL, NULL);
	__cxa_at_quick_exit(at_quick, NULL);
}
