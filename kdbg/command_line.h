/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kdbg's command line.
 *
 * A subcommand is a file with a main of its own and a line in main.c's table.
 */
#ifndef KDBG_COMMAND_LINE_H
#define KDBG_COMMAND_LINE_H

#include "kdbg/debug.h"

#include <stdio.h>

struct subcommand {
	const char *name;    /* NULL ends the table */
	const char *usage;   /* what follows the name */
	const char *summary; /* one line, no full stop */
	/* argv[0] is the name; returns the exit status. NULL: not in this
	 * version. */
	int (*run)(int argc, char **argv);
};

enum { COMMAND_LINE_GO = -1 };

void command_line_usage(FILE *stream, const struct subcommand *subcommands);

/* COMMAND_LINE_GO, or the status to exit with: all is said. Free
 * options->commands. */
int command_line_parse(int argc, char **argv,
		       const struct subcommand *subcommands,
		       struct debug_options *options);

#endif
