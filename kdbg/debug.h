/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kdbg TARGET: a target opened, and commands run on it. */
#ifndef KDBG_DEBUG_H
#define KDBG_DEBUG_H

#include "kdbg/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct dcmd;
struct walker;

struct debug_options {
	const char *path; /* NULL: pid */
	pid_t pid;
	struct target_options target;
	const char **commands; /* of -e; count 0: prompt or stdin */
	size_t command_count;
	bool json;
	bool no_rc;
	bool wide; /* all columns, however wide the terminal */
};

/* The exit status. */
int debug_run(const struct debug_options *options,
	      const struct dcmd *const *dcmds,
	      const struct walker *const *walkers);

#endif
