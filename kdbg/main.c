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

static int debug_main(int argc, char **argv);
static int diff_main(int argc, char **argv);

static const struct subcommand subcommands[] = {
	{ "run", "[-o FILE] [--tier T] -- CMD ARG...",
	  "run a program under libkma, write a dump when it ends", run_main },
	{ "check", "[options] -- CMD ARG...",
	  "run a program and its children; fail on leaks or heap errors",
	  check_main },
	{ "dump", "-p PID -o FILE [--level L]",
	  "write a dump of a living process", dump_main },
	{ "diff", "[-j] [-x EXE] [--sysroot DIR] OLD NEW",
	  "what grew from one dump to the next", diff_main },
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

/* "::diff OLD" as the language writes it. Free it. */
static char *diff_command(const char *old)
{
	char *text = malloc(sizeof("::diff \"\"") + 2 * strlen(old));
	char *end;

	if (!text)
		return NULL;
	end = stpcpy(text, "::diff \"");
	for (; *old; old++) {
		if (*old == '"' || *old == '\\')
			*end++ = '\\';
		*end++ = *old;
	}
	stpcpy(end, "\"");
	return text;
}

/* kdbg diff [option]... OLD NEW is kdbg [option]... -e '::diff OLD' NEW. */
static int diff_main(int argc, char **argv)
{
	struct debug_options options = { 0 };
	char *command;
	int status;

	if (argc == 2 && argv[1][0] == '-')
		return debug_main(argc, argv); /* --help, or what is wrong */
	if (argc < 3 || argv[argc - 2][0] == '-') {
		command_line_usage(stderr, subcommands);
		return STATUS_USAGE;
	}
	command = diff_command(argv[argc - 2]);
	argv[argc - 2] = argv[argc - 1];
	status = command_line_parse(argc - 1, argv, subcommands, &options);
	if (status == COMMAND_LINE_GO && options.command_count) {
		command_line_usage(stderr, subcommands);
		status = STATUS_USAGE;
	}
	if (status == COMMAND_LINE_GO) {
		options.commands[0] = command;
		options.command_count = 1;
		options.no_rc = true;
		status = command ? debug_run(&options, dcmd_table, walker_table)
				 : STATUS_FAILED;
	}
	free(options.commands);
	free(command);
	return status;
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
