/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A session: one target, the views made of it as they were needed, the
 * commands and walkers, dot and the variables. Passed down; never global.
 */
#ifndef KDBG_SESSION_H
#define KDBG_SESSION_H

#include "dumpfmt/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dcmd;
struct heap;
struct leaks;
struct reach;
struct sink;
struct symbols;
struct target;
struct walker;
struct variables;

struct session {
	struct target *target;
	const struct dcmd *const *dcmds;     /* NULL-terminated */
	const struct walker *const *walkers; /* NULL-terminated */
	struct symbols *symbols;             /* session_symbols() */
	struct heap *heap;                   /* session_heap() */
	struct reach *reach;                 /* session_reach() */
	struct leaks *leaks;                 /* session_leaks() */
	struct variables *variables;
	uint64_t dot;
	unsigned radix; /* 16 */
	bool json;
	bool interactive;
	bool quit;
	int status;               /* of the batch so far */
	volatile int interrupted; /* by SIGINT; a command stops soon */
	void (*progress)(struct session *session, const char *what,
			 uint64_t done, uint64_t total);
};

/* The view, made at the first call and kept; the session owns it. heap: an
 * error says that, and why, the target has no libkma. */
struct err *session_symbols(struct session *session,
			    struct symbols **ret) MUST_USE;
struct err *session_heap(struct session *session, struct heap **ret) MUST_USE;
struct err *session_reach(struct session *session, struct reach **ret) MUST_USE;
struct err *session_leaks(struct session *session, struct leaks **ret) MUST_USE;

/* Forget reach and leaks: the next call marks again. */
void session_forget_reach(struct session *session);

/* By name or alias; NULL: none. */
const struct dcmd *session_dcmd(const struct session *session,
				const char *name);
const struct walker *session_walker(const struct session *session,
				    const char *name);

/* Parse and run a line; each pipeline's failure is reported on stderr, counted
 * in status, and does not stop the next. Rows go to out. */
void session_run(struct session *session, const char *text, const char *origin,
		 struct sink *out);

/* The value of an expression, for options and arguments. */
struct err *session_evaluate(struct session *session, const char *text,
			     uint64_t *ret) MUST_USE;

/* True once Ctrl-C was pressed; long loops ask now and then. */
static inline bool session_interrupted(const struct session *session)
{
	return session->interrupted != 0;
}

#endif
