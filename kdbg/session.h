/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A session: one target, the views made of it as they were needed, the
 * commands and walkers, dot and the variables. Passed down; never global.
 */
#ifndef KDBG_SESSION_H
#define KDBG_SESSION_H

#include "dumpfmt/err.h"
#include "kdbg/leaks.h"
#include "kdbg/symbols.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct dcmd;
struct disassembler;
struct expression;
struct heap;
struct modules;
struct sink;
struct target;
struct types;
struct walker;
struct variables;

/* Everything is zero, "not yet" or the caller's, until set. */
struct session {
	struct target *target;
	const struct dcmd *const *dcmds;     /* NULL-terminated */
	const struct walker *const *walkers; /* NULL-terminated */
	struct symbols *symbols;             /* session_symbols() */
	struct types *types;                 /* session_types() */
	struct heap *heap;                   /* session_heap() */
	struct reach *reach;                 /* session_reach() */
	struct leaks *leaks;                 /* session_leaks() */
	struct reach_options reach_options;  /* session_judge() */
	struct leaks_options leaks_options;
	struct variables *variables;
	struct modules *modules;     /* loaded by ::load */
	const struct walker *walker; /* that runs now: session_walk() */
	/* Of the command that runs now: it may know a type; or NULL. */
	const struct expression *address_expression;
	struct disassembler *disassembler; /* disassemble.c's, when needed */
	bool intel_syntax;                 /* of instructions; else AT&T's */
	struct symbols_style symbols_style;
	uint64_t array_mem_limit; /* elements that ::print shows */
	uint64_t array_str_limit; /* characters */
	uint64_t columns;  /* of lines, as ::set says; 0: the terminal's */
	char *prompt;      /* NULL: the usual */
	char *macro_path;  /* DIR:DIR, where files of commands are, too */
	char *module_path; /* the same of modules */
	bool repeat_last;  /* an empty line runs the last command again */
	bool ignore_eof;   /* Ctrl-D does not leave */
	bool replaced;     /* $< : nothing behind it in its file is run */
	uint64_t dot;
	uint64_t increment;   /* "+" is dot + increment: bytes formatted last */
	uint64_t formatted;   /* "<0": the last value that a format showed */
	uint64_t macro_count; /* "<9": of expr,count$<file */
	uint64_t last;        /* "&": dot of the last command */
	unsigned radix;       /* 16 */
	uint32_t thread; /* the representative thread's tid; 0: the target's */
	char *repeat;    /* interactive: what a lone expression runs again */
	bool repeat_on_dot; /* it was run on an address */
	FILE *errors;       /* stderr */
	FILE *log;          /* of what the prompt shows, or NULL: ::log */
	unsigned depth;     /* of commands that run commands */
	bool json;
	bool interactive;
	bool pager; /* at the prompt, for output longer than the terminal */
	bool quit;
	bool held;  /* a living process stands still between lines, too */
	bool gone;  /* it has ended: what was read of it is all there is */
	int status; /* of the batch so far */
	volatile int interrupted; /* by SIGINT; a command stops soon */
	/* NULL where nobody watches; call session_progress(). */
	void (*progress)(struct session *session, const char *what,
			 uint64_t done, uint64_t total);
	uint64_t progress_ms; /* progress.c: when it was shown */
	uint64_t progress_start_ms;
	bool progress_shown;
};

/* Memory for a session on target, which it owns from now on (NULL: none). */
struct err *session_init(struct session *session, struct target *target,
			 const struct dcmd *const *dcmds,
			 const struct walker *const *walkers) MUST_USE;
void session_deinit(struct session *session);

/* The view, made at the first call and kept; the session owns it. heap: an
 * error says that, and why, the target has no libkma. */
struct err *session_symbols(struct session *session,
			    struct symbols **ret) MUST_USE;
struct err *session_types(struct session *session, struct types **ret) MUST_USE;
struct err *session_heap(struct session *session, struct heap **ret) MUST_USE;
struct err *session_reach(struct session *session, struct reach **ret) MUST_USE;
struct err *session_leaks(struct session *session, struct leaks **ret) MUST_USE;

/* From now on reach and leaks are found by these. What was found by others is
 * forgotten. */
void session_judge(struct session *session, const struct reach_options *reach,
		   const struct leaks_options *leaks);

/* Forget reach and leaks: the next call marks again. */
void session_forget_reach(struct session *session);

/* By name or alias; NULL: none. */
const struct dcmd *session_dcmd(const struct session *session,
				const char *name);
const struct walker *session_walker(const struct session *session,
				    const char *name);

/* Look at another target from now on, which the session owns then: all views of
 * the old one are gone. No command may be at work on them. */
void session_attach(struct session *session, struct target *target);

/*
 * A living process stands still while a line runs and goes on after it, unless
 * held: session_stop() makes all views anew if it has moved since, and
 * session_release() lets it go. Other targets never move: nothing happens.
 */
struct err *session_stop(struct session *session) MUST_USE;
void session_release(struct session *session);

/* Run a walker: each gets its values until it says false. */
struct err *session_walk(struct session *session, const struct walker *walker,
			 bool has_address, uint64_t address,
			 bool (*each)(void *context, uint64_t value),
			 void *context) MUST_USE;

/* Parse and run a line; each pipeline's failure is reported on stderr, counted
 * in status, and does not stop the next. Rows go to out. */
void session_run(struct session *session, const char *text, const char *origin,
		 struct sink *out);

/* Run text with dot set to value, as a stage of a pipeline of its own, and take
 * the last value it passes on: ::grep, ::map. */
struct err *session_map(struct session *session, const char *text,
			uint64_t value, uint64_t *ret) MUST_USE;

/* Run the statements of text inside a command, their rows to out; the first
 * failure ends them: ::eval. */
struct err *session_eval(struct session *session, const char *text,
			 struct sink *out) MUST_USE;

/* Tell of a failure on session->errors and count it in status. Frees err. */
void session_report(struct session *session, struct err *err);

/* What a command found makes the batch end with STATUS_FINDINGS, whatever else
 * fails. */
void session_found_damage(struct session *session);

/* The value of an expression, for options and arguments. */
struct err *session_evaluate(struct session *session, const char *text,
			     uint64_t *ret) MUST_USE;

/* The same; what is no expression may be a symbol of any spelling, such as
 * operator new(unsigned long). */
struct err *session_evaluate_symbol(struct session *session, const char *text,
				    uint64_t *ret) MUST_USE;

/* How far a long command is; shown on a terminal only. done 0 to total. */
static inline void session_progress(struct session *session, const char *what,
				    uint64_t done, uint64_t total)
{
	if (session->progress)
		session->progress(session, what, done, total);
}

/* True once Ctrl-C was pressed; long loops ask now and then. */
static inline bool session_interrupted(const struct session *session)
{
	return session->interrupted != 0;
}

#endif
