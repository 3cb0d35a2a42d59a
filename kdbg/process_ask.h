/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A process that has libkma is asked to write its dump itself (dumpfmt/ask.h):
 * it makes a copy of itself and goes on, which takes milliseconds where reading
 * all of it from outside would take seconds.
 */
#ifndef KDBG_PROCESS_ASK_H
#define KDBG_PROCESS_ASK_H

#include "dumpfmt/err.h"
#include "dumpfmt/writer.h"

#include <stdbool.h>
#include <sys/types.h>

struct process_ask {
	pid_t pid;
	int output; /* a regular file of ours, empty */
	enum dump_level level;
	struct dump_write_options write;
	bool symbols; /* names of functions, too */

	/* How it went. Not heard: nothing will be written. */
	bool has_libkma; /* that can be asked */
	bool heard;
	uint64_t pause_ns;
};

/* Until it is written, or for a second if there is no answer. An error: it was
 * heard, and the dump could not be written. Its output must stay open, and be
 * used for nothing else, until we end: an answer may come late. */
struct err *process_ask(struct process_ask *ask) MUST_USE;

#endif
