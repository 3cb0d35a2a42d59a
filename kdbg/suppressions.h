/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Leaks that are known and not to fail a check. A file may hold, each on its
 * own lines, rules of three forms:
 *
 *	leak:TEMPLATE		LeakSanitizer's: a part of a function, file or
 *				module of any frame; '*' is wild, '^' and '$'
 *				hold it to the start and the end
 *	{ NAME  Memcheck:Leak  match-leak-kinds: K,K
 *	  fun:G obj:G src:G ... }
 *				valgrind's, one word a line: the frames from
 *				the allocation outwards; '*' and '?' are wild
 *	suppress KEY=VALUE...	ours: fun, obj, src, cache (globs, each to match
 *				somewhere in the stack), max_count, max_bytes,
 *				expires=YYYY-MM-DD
 */
#ifndef KDBG_SUPPRESSIONS_H
#define KDBG_SUPPRESSIONS_H

#include "dumpfmt/err.h"
#include "kdbg/address_set.h"
#include "kdbg/check_result.h"

#include <stdio.h>

enum pattern_kind {
	PATTERN_FUNCTION,
	PATTERN_MODULE,
	PATTERN_SOURCE,
	PATTERN_CACHE,
	PATTERN_TEMPLATE, /* a function, a file or a module */
	PATTERN_GAP,      /* any number of frames */
};

struct pattern {
	enum pattern_kind kind;
	const char *glob;
	unsigned line; /* of a source; 0: any */
};

struct suppression {
	struct suppression *next;
	const char *text; /* the rule, or its name, in one line */
	const char *file;
	unsigned line;
	const char *program; /* whose own it is, by path; NULL: the user's */
	bool ordered;        /* patterns are frames from the allocation on */
	unsigned kinds;      /* of leaks: SUPPRESS_ bits */
	struct pattern *patterns;
	size_t pattern_count;
	uint64_t max_count, max_bytes; /* 0: no limit */
	bool expired;
	/* What it did. */
	uint64_t groups, buffers, bytes;
	uint64_t refused;          /* groups past a limit */
	struct address_set places; /* signatures */
};

enum { SUPPRESS_DEFINITE = 1, SUPPRESS_POSSIBLE = 2, SUPPRESS_INDIRECT = 4 };

struct suppressions {
	struct arena *arena;
	struct suppression *first, **last; /* last: where the next goes */
};

/* Add the rules of a file. A line that is none is an error. */
struct err *suppressions_read(struct suppressions *set,
			      const char *path) MUST_USE;
/* Those that a program brings along, for its own processes; once for each path.
 */
struct err *suppressions_read_program(struct suppressions *set,
				      const char *program,
				      const char *text) MUST_USE;
void suppressions_deinit(struct suppressions *set);

/* Take what is suppressed out of a process's leaks. What only suppressed leaks
 * hold goes with them, once no other definite leak is there to hold it. */
struct err *suppressions_apply(struct suppressions *set,
			       struct check_process *process) MUST_USE;

/* A line on each rule: what it hit; or that it is stale, broad or expired. */
void suppressions_report(const struct suppression *first, FILE *out);

/* A rule in valgrind's form for every leak that is left. */
void suppressions_generate(const struct check_result *result, FILE *out);

/* '*' is any text and, where question is set, '?' any character. */
bool suppression_glob(const char *glob, const char *text, bool question);

#endif
