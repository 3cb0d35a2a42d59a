/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kdbg's front door: a subcommand, or a target to debug. It alone knows both
 * the core and the table of commands.
 */
#include "kdbg/check.h"
#include "kdbg/command_line.h"
#include "kdbg/convert.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/debug.h"
#include "kdbg/exit_status.h"
#include "kdbg/info.h"
#include "kdbg/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct subcommand subcommands[] = {
	{ "run", "[-o FILE] [--tier T] -- CMD ARG...",
	  "run a program under libkma, write a dump when it ends", run_main },
	{ "check", "[options] -- CMD ARG...",
	  "run a program and its children; fail on leaks or heap errors",
	  check_main },
	{ "dump", "-p PID -o FILE [--level L]",
	  "write a dump of a living process", dump_main },
	{ "diff", "OLD NEW", "what grew from one dump to the next" },
	{ "convert", "[--level L] IN OUT",
	  "turn a dump into an ELF core, or back", convert_main },
	{ "info", "[-j] FILE", "what a file holds, and is it whole",
	  info_main },
	{ NULL },
};

static int run_subcommand(const struct subcommand *subcommand, int argc,
			  char **argv)
{
	if (subcommand->run)
		return subcommand->run(argc, argv);
	fprintf(stderr, "kdbg: '%s' is not in this version\n",
		subcommand->name);
	command_line_usage(stderr, subcommands);
	return STATUS_USAGE;
}

static int debug_main(int argc, char **argv)
{
	struct debug_options options = { 0 };
	int status = command_line_parse(argc, argv, subcommands, &options);

	if (status == COMMAND_LINE_GO)
		status = debug_run(&options, dcmd_table, walker_table);
	free(options.commands);
	return status;
}

int main(int argc, char **argv)
{
	for (const struct subcommand *s = subcommands; argc > 1 && s->name; s++)
		if (strcmp(s->name, argv[1]) == 0)
			return run_subcommand(s, argc - 1, argv + 1);
	return debug_main(argc, argv);
}
