/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing our own dump: at exit, on a fatal signal, on a misuse, on request.
 * Async-signal-safe throughout: no malloc, no stdio, no lock that a crashed
 * thread may hold.
 */
#ifndef ALLOC_DUMP_H
#define ALLOC_DUMP_H

enum kma_dump_reason {
	KMA_DUMP_EXIT = 1,
	KMA_DUMP_SIGNAL = 2,
	KMA_DUMP_ERROR = 3,
	KMA_DUMP_REQUEST = 4,
};

/* Install the triggers that kma_options asks for. */
void kma_dump_init(void);

/*
 * Write the dump to the path of the template. siginfo and ucontext are those
 * of the signal, or NULL. 0, or -errno after a message on stderr.
 */
int kma_dump_write(enum kma_dump_reason reason, const void *siginfo,
		   const void *ucontext);

#endif
