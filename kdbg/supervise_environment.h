/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The environment that puts a program under libkma. */
#ifndef KDBG_SUPERVISE_ENVIRONMENT_H
#define KDBG_SUPERVISE_ENVIRONMENT_H

#include "dumpfmt/err.h"

#include <stdbool.h>

struct supervise_environment {
	char *preload; /* LD_PRELOAD: ours, then what was there */
	char *debug;   /* KMA_DEBUG; NULL: leave as it is */
	char *dump;    /* KMA_DUMP */
	char *roster;  /* KMA_ROSTER */
};

/* One of the names --tier takes? NULL, the default, is. */
bool supervise_is_tier(const char *tier);

/*
 * KMA_DUMP for a dump at every end of a process, named path.suffix; of suffix
 * libkma expands %p (pid), %e (program), %t and %m (seconds, nanoseconds).
 * level is full or heap, or NULL: what the environment says, else full.
 */
struct err *supervise_dump_option(const char *path, const char *suffix,
				  const char *level, char **ret) MUST_USE;

/*
 * tier NULL: what the environment says, else audit. The library is found
 * beside kdbg: in the build tree, or where both are installed.
 */
struct err *supervise_environment_init(struct supervise_environment *ret,
				       const char *tier, bool keep_going,
				       const char *dump,
				       const char *roster) MUST_USE;
void supervise_environment_deinit(struct supervise_environment *environment);

/*
 * Put it into environ; false: no memory. GLib before 2.76 cuts small objects
 * from blocks of its own, in which nothing could be seen: it is told to ask
 * malloc, unless the user told it something else.
 */
bool supervise_environment_apply(
	const struct supervise_environment *environment);

#endif
