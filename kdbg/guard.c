/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/guard.h"

#include <string.h>

static const int guarded[GUARD_SIGNALS] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL,
					    SIGABRT };

/* A signal handler is given nothing but a number; and a stack that ran full
 * cannot hold it. */
static struct guard *innermost;
static char handler_stack[1 << 16];

static void on_crash(int number)
{
	struct guard *guard = innermost;

	if (!guard || !guard->armed) {
		signal(number,
		       SIG_DFL); /* our own: it happens when we return */
		raise(number);
		return;
	}
	guard->armed = 0;
	guard->signal = number;
	siglongjmp(guard->back, 1);
}

void guard_install(struct guard *guard)
{
	struct sigaction action = { .sa_handler = on_crash,
				    .sa_flags = SA_ONSTACK };
	const stack_t stack = { .ss_sp = handler_stack,
				.ss_size = sizeof(handler_stack) };

	guard->outer = innermost;
	guard->signal = 0;
	guard->armed = 1;
	innermost = guard;
	sigemptyset(&action.sa_mask);
	if (guard->outer)
		return; /* all is in place */
	sigaltstack(&stack, &guard->stack_before);
	for (int i = 0; i < GUARD_SIGNALS; i++)
		sigaction(guarded[i], &action, &guard->before[i]);
}

void guard_leave(struct guard *guard)
{
	guard->armed = 0;
	innermost = guard->outer;
	if (innermost)
		return;
	for (int i = 0; i < GUARD_SIGNALS; i++)
		sigaction(guarded[i], &guard->before[i], NULL);
	sigaltstack(&guard->stack_before, NULL);
}

struct guard *guard_suspend(void)
{
	struct guard *guard = innermost;

	if (guard)
		guard->armed = 0;
	return guard;
}

_Noreturn void guard_crash(struct guard *guard, int number)
{
	guard->armed = 0;
	guard->signal = number;
	innermost = guard;
	siglongjmp(guard->back, 1);
}

void guard_resume(struct guard *guard)
{
	if (guard)
		guard->armed = 1;
}
