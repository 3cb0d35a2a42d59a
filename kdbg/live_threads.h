/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The threads of a living process: names, registers, vector state. */
#ifndef KDBG_LIVE_THREADS_H
#define KDBG_LIVE_THREADS_H

#include "dumpfmt/err.h"
#include "dumpfmt/facts.h"
#include "dumpfmt/live.h"
#include "dumpfmt/roster.h"
#include "kdbg/arena.h"
#include "kdbg/process_stop.h"

#include <stddef.h>

struct live_threads { /* zeroes: none. What they point to is the arena's. */
	struct dump_thread *list;
	size_t count;
};

/* Those we have stopped, by ptrace. */
struct err *live_threads_stopped(const struct process_stop *stop,
				 struct arena *arena,
				 struct live_threads *ret) MUST_USE;

/* Those that a process which shows itself has noted down. */
struct err *live_threads_told(struct dump_live *process,
			      const struct roster_record *shown,
			      struct arena *arena,
			      struct live_threads *ret) MUST_USE;

void live_threads_deinit(struct live_threads *threads);

#endif
