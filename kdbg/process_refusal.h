/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a process cannot be looked at, and what would help, in one line. */
#ifndef KDBG_PROCESS_REFUSAL_H
#define KDBG_PROCESS_REFUSAL_H

#include "dumpfmt/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* What can be known beforehand: it is a process, alive, with memory, not kdbg
 * itself, a 64-bit program, and nobody traces it. */
struct err *process_check(pid_t pid) MUST_USE;

/* The kernel said no, with this errno. Never NULL. */
struct err *process_refusal(pid_t pid, int error) MUST_USE;

/* A thread whose end is still listed, as that of a main thread is. */
bool process_thread_ended(pid_t pid, pid_t tid);

#endif
