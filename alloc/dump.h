/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing our own dump: at exit, on a fatal signal, on a misuse, on request.
 * Async-signal-safe throughout: no malloc, no stdio, no lock that a crashed
 * thread may hold.
 *
 *	trigger (dump_exit.c, dump_signal.c, kma_report, kma_dump)
 *	   |  one at a time; later ones wait, or find it done
 *	stop the other threads, each with its registers (dump_threads.c)
 *	   |  a program that is to go on: fork a copy, let the threads go
 *	write (dumpfmt/writer.h over dumpfmt/live.h), rename
 *
 * A process that is dying writes in place, with its threads stopped.
 */
#ifndef ALLOC_DUMP_H
#define ALLOC_DUMP_H

#include <stdbool.h>
#include <stdint.h>

enum kma_dump_reason {
	KMA_DUMP_EXIT = 1,
	KMA_DUMP_SIGNAL = 2,
	KMA_DUMP_ERROR = 3,
	KMA_DUMP_REQUEST = 4,
};

struct kma_registers;
struct kma_thread;

/* Install the triggers that kma_options asks for. */
void kma_dump_init(void);

/*
 * Write the dump to the path of the template, if kma_options asks for one for
 * this reason. siginfo and ucontext are those of the signal, or NULL. 0, or
 * -errno after a message on stderr.
 */
int kma_dump_write(enum kma_dump_reason reason, const void *siginfo,
		   const void *ucontext);

/* The process ends, whichever way it takes: dump once, tell the supervisor.
 * here: kma_arch_registers() of the function that the program called; not
 * looked at where options want no dump. */
void kma_dump_exit(int status, const struct kma_registers *here);

/* An exec is about to replace this image: what it did wrong, and went on after
 * (noabort), would go with it. Only where a supervisor is told. */
void kma_dump_replaced(void);

/* The handlers of quick_exit() are not told its status; this one is. */
void kma_dump_expect_quick_exit(int status);

/* A thread's record was made, or is given back: its alternate stack. */
void kma_dump_thread_start(struct kma_thread *thread);
void kma_dump_thread_end(struct kma_thread *thread);

/* In the child of a fork, with its one thread. */
void kma_dump_forked(void);

#endif
