/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A process that stands still: every thread of it, so that its memory is that
 * of one moment.
 *
 * Threads are seized and interrupted: nothing of it reaches the program, and a
 * thread that a signal was just about to reach gets that signal when it is
 * released. Should kdbg die, the kernel releases them in its place: so nothing
 * is ever set up that would have to be undone.
 */
#ifndef KDBG_PROCESS_STOP_H
#define KDBG_PROCESS_STOP_H

#include "dumpfmt/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stopped_thread {
	pid_t tid;
	int signal; /* on its way to the thread; 0 none */
};

/* Zeroes: nothing is stopped. */
struct process_stop {
	pid_t pid;
	struct stopped_thread *threads; /* the process's first thread first */
	size_t count;
	uint64_t since_ns; /* CLOCK_MONOTONIC: when the first one stopped */
};

/* All or none. The error says why not, and what would help. */
struct err *process_stop(pid_t pid, struct process_stop *ret) MUST_USE;

/* Let them go on; how many nanoseconds the process stood still. A second call
 * does nothing. */
uint64_t process_release(struct process_stop *stop);

#endif
