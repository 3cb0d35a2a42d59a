/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which thread a command is about. */
#ifndef KDBG_DCMDS_THREAD_CHOICE_H
#define KDBG_DCMDS_THREAD_CHOICE_H

#include "kdbg/dcmd.h"
#include "kdbg/target.h"

/* That of the address, else the session's, else the one that crashed. */
struct err *thread_choose(const struct dcmd_call *call,
			  const struct dump_thread **ret) MUST_USE;

#endif
