/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which thread a command is about. */
#ifndef KDBG_DCMDS_THREAD_CHOICE_H
#define KDBG_DCMDS_THREAD_CHOICE_H

#include "kdbg/dcmd.h"
#include "kdbg/target.h"

/* That of the address, else the session's, else the one that crashed. */
struct err *thread_choose(const struct dcmd_call *call,
			  const struct dump_thread **ret) MUST_USE;

/* By its id, which may be typed as it is shown. */
struct err *thread_find(const struct target *target, uint64_t tid,
			const struct dump_thread **ret) MUST_USE;

/* "crashed", "misuse", "dumping", "no stack", "unknown"; NULL: nothing about it
 * is special. */
const char *thread_state(const struct dump_process *process,
			 const struct dump_thread *thread);

#endif
