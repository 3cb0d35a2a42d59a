/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Running code that may crash: a module's.
 *
 *	if (guard_enter(&guard))	true again when it has crashed
 *		crashed, guard.signal tells how
 *	else
 *		foreign();
 *	guard_leave(&guard);
 *
 * guard_suspend() and guard_resume() stand around our own code that the foreign
 * code calls: a crash there is ours, and no frame of ours is ever jumped over.
 */
#ifndef KDBG_GUARD_H
#define KDBG_GUARD_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>

enum { GUARD_SIGNALS = 5 };

struct guard {
	sigjmp_buf back;
	struct guard *outer; /* foreign code that called ours, which called */
	volatile sig_atomic_t armed;
	volatile sig_atomic_t signal;
	struct sigaction before[GUARD_SIGNALS];
	stack_t stack_before;
};

void guard_install(struct guard *guard);
void guard_leave(struct guard *guard);

/* The innermost guard; none: nothing happens. */
struct guard *guard_suspend(void);
void guard_resume(struct guard *guard);

/* Crash on purpose: what the foreign code called back has crashed, and the
 * frames of ours in between have returned. */
_Noreturn void guard_crash(struct guard *guard, int number);

/* A macro: sigsetjmp's frame must be the caller's. */
#define guard_enter(guard) \
	(guard_install(guard), sigsetjmp((guard)->back, 1) != 0)

#endif
