/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fatal signals and the dispositions that a program sees.
 *
 * Where the program's disposition of a fatal signal is the default one, the
 * kernel's is our handler; it dumps, then lets the default action happen. So a
 * program that asks must be told "default", and one that sets "default" must
 * get our handler back. The same holds for the alternate stack that each
 * thread has for that handler. interpose.c puts these functions in the place
 * of libc's.
 */
#ifndef ALLOC_DUMP_SIGNAL_H
#define ALLOC_DUMP_SIGNAL_H

#include <signal.h>

/* Put our handler where the default action is and the options want a dump or
 * a report first. */
void kma_dump_catch_signals(void);

/* Where there are guards, now and then: a program may have set its handler for
 * faults by a system call of its own. Then ours goes before it, where we stand
 * in front of libc. */
void kma_dump_keep_signals(void);

/* The default actions again, where ours had taken their place. */
void kma_dump_leave_signals(void);

/* As sigaction(2) and sigaltstack(2): 0, or -1 and errno. */
int kma_dump_sigaction(int number, const struct sigaction *action,
		       struct sigaction *old);
int kma_dump_sigaltstack(const stack_t *stack, stack_t *old);

#endif
