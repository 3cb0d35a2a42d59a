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
	{ "dump", "-p PID -o FILE [--level L] [--stop]",
	  "write a dump of a living process", dump_main },
	{ "diff", "[-j] [-x EXE] [--sysroot DIR] OLD... NEW",
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

static const char diff_help[] =
	"usage: kdbg diff [-j] [-x EXE] [--sysroot DIR] OLD... NEW\n"
	"\n"
	"What grew from dumps to a later one of the same program: live "
	"buffers by\n"
	"the stack that allocated them, those that grew most first. OLD and "
	"NEW may\n"
	"be cores, too, of programs that ran under libkma. It is ::diff OLD... "
	"in "
	"NEW.\n"
	"\n"
	"  -j             rows as JSON, one object a line\n"
	"  -x EXE, --sysroot DIR, --debuginfod, --wide  as for kdbg itself\n"
	"  --help\n"
	"\n"
	"example: kdbg diff before.kdump after.kdump\n";

/* "::diff OLD..." as the language writes it. Free it. */
static char *diff_command(char *const *old, int count)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	fputs("::diff", stream);
	for (int i = 0; i < count; i++) {
		fputs(" \"", stream);
		for (const char *at = old[i]; *at; at++) {
			if (*at == '"' || *at == '\\')
				fputc('\\', stream);
			fputc(*at, stream);
		}
		fputc('"', stream);
	}
	if (fclose(stream) == 0)
		return text;
	free(text);
	return NULL;
}

/* How many words at the end are names of files: what is no option, nor the
 * argument of one. */
static int count_files(int argc, char **argv)
{
	int count = 0;

	while (count < argc - 1 && argv[argc - 1 - count][0] != '-')
		count++;
	if (count < argc - 1 &&
	    (strcmp(argv[argc - 1 - count], "-x") == 0 ||
	     strcmp(argv[argc - 1 - count], "--sysroot") == 0))
		count--;
	return count;
}

/* kdbg diff [option]... OLD... NEW is kdbg [option]... -e '::diff OLD...' NEW.
 */
static int diff_main(int argc, char **argv)
{
	struct debug_options options = { 0 };
	int files = count_files(argc, argv), first = argc - files;
	char *command;
	int status;

	if (argc == 2 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(diff_help, stdout);
		return STATUS_FINE;
	}
	if (files < 2) {
		fputs("kdbg diff: which files? kdbg diff --help tells more\n",
		      stderr);
		return STATUS_USAGE;
	}
	command = diff_command(argv + first, files - 1);
	argv[first] = argv[argc - 1];
	status = command_line_parse(first + 1, argv, subcommands, &options);
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
