/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/command_line.h"

#include "kdbg/exit_status.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

void command_line_usage(FILE *stream, const struct subcommand *subcommands)
{
	fputs("usage: kdbg [-e CMD]... [-j] [-x EXE] [--sysroot DIR] [--no-rc] "
	      "TARGET\n"
	      "       kdbg [option]... -p PID\n",
	      stream);
	for (; subcommands->name; subcommands++)
		if (subcommands->run)
			fprintf(stream, "       kdbg %s %s\n",
				subcommands->name, subcommands->usage);
}

static void print_help(const struct subcommand *subcommands)
{
	command_line_usage(stdout, subcommands);
	puts("\n"
	     "TARGET is a dump written by libkma or an ELF core. Without -e,\n"
	     "commands come from a prompt, or from standard input where that\n"
	     "is no terminal. A living process stands still while a line "
	     "runs,\n"
	     "or for all of the -e: what they tell is of one moment.\n"
	     "\n"
	     "  -p PID         a living process as the target\n"
	     "  -e CMD         run CMD and exit; -e can be given again\n"
	     "  -j             rows as JSON, one object a line\n"
	     "  -x EXE         the program, where the target does not tell\n"
	     "  --sysroot DIR  look for programs and libraries below DIR\n"
	     "  --debuginfod   ask the servers of DEBUGINFOD_URLS for files\n"
	     "  --cache N      unpack at most N bytes of a dump into memory, "
	     "the\n"
	     "                 rest into TMPDIR (half of the free memory)\n"
	     "  --max-size N   unpack a compressed core up to N bytes (64G)\n"
	     "  --no-rc        do not run the commands of ~/.kdbgrc\n"
	     "  --wide         all columns of tables, on any terminal\n"
	     "  --help, --version\n"
	     "\n"
	     "::dcmds lists the commands, ::help NAME explains one.\n"
	     "Exit status: 0 fine, 1 a command failed, 2 usage, 23 "
	     "::kmem_verify\n"
	     "found damage.\n");
	for (; subcommands->name; subcommands++)
		if (subcommands->run)
			printf("kdbg %-8s %s\n", subcommands->name,
			       subcommands->summary);
}

static int usage_error(const struct subcommand *subcommands,
		       const char *message)
{
	if (message)
		fprintf(stderr, "kdbg: %s\n", message);
	command_line_usage(stderr, subcommands);
	return STATUS_USAGE;
}

/* 0: no such number. */
static pid_t parse_pid(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	return end == text || *end || number < 1 || number > INT_MAX
		       ? 0
		       : (pid_t)number;
}

/* A number with K, M, G or T behind it; 0: it is none. */
static uint64_t parse_size(const char *text)
{
	static const char units[] = "KMGT";
	char *end;
	uint64_t number = strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;

	if (end == text || (*end && (!unit || end[1])) ||
	    number > UINT64_MAX >> shift)
		return 0;
	return number << shift;
}

enum {
	CODE_SYSROOT = 256,
	CODE_NO_RC,
	CODE_MAX_SIZE,
	CODE_WIDE,
	CODE_CACHE,
	CODE_DEBUGINFOD
};

static const struct option long_options[] = {
	{ "sysroot", required_argument, NULL, CODE_SYSROOT },
	{ "debuginfod", no_argument, NULL, CODE_DEBUGINFOD },
	{ "no-rc", no_argument, NULL, CODE_NO_RC },
	{ "wide", no_argument, NULL, CODE_WIDE },
	{ "max-size", required_argument, NULL, CODE_MAX_SIZE },
	{ "cache", required_argument, NULL, CODE_CACHE },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int take_option(int code, const struct subcommand *subcommands,
		       struct debug_options *options)
{
	switch (code) {
	case 'e':
		options->commands[options->command_count++] = optarg;
		return COMMAND_LINE_GO;
	case 'j':
		options->json = true;
		return COMMAND_LINE_GO;
	case 'x':
		options->target.executable = optarg;
		return COMMAND_LINE_GO;
	case CODE_SYSROOT:
		options->target.sysroot = optarg;
		return COMMAND_LINE_GO;
	case CODE_MAX_SIZE:
		options->target.max_size = parse_size(optarg);
		if (options->target.max_size)
			return COMMAND_LINE_GO;
		return usage_error(subcommands, "--max-size wants a size, "
						"such as 100G");
	case CODE_CACHE:
		options->target.cache = parse_size(optarg);
		if (options->target.cache)
			return COMMAND_LINE_GO;
		return usage_error(subcommands, "--cache wants a size, such as "
						"512M");
	case CODE_DEBUGINFOD:
		options->target.debuginfod = true;
		return COMMAND_LINE_GO;
	case CODE_NO_RC:
		options->no_rc = true;
		return COMMAND_LINE_GO;
	case CODE_WIDE:
		options->wide = true;
		return COMMAND_LINE_GO;
	case 'h':
		print_help(subcommands);
		return STATUS_FINE;
	case 'V':
		puts("kdbg " KMA_VERSION);
		return STATUS_FINE;
	case 'p':
		options->pid = parse_pid(optarg);
		if (options->pid)
			return COMMAND_LINE_GO;
		return usage_error(subcommands, "-p wants a process's number");
	default:
		return usage_error(subcommands, NULL);
	}
}

int command_line_parse(int argc, char **argv,
		       const struct subcommand *subcommands,
		       struct debug_options *options)
{
	int status = COMMAND_LINE_GO;
	int code;

	options->commands = calloc((size_t)argc, sizeof(*options->commands));
	if (!options->commands) {
		perror("kdbg");
		return STATUS_FAILED;
	}
	argv[0] = (char *)"kdbg"; /* how getopt's messages begin */
	while (status == COMMAND_LINE_GO &&
	       (code = getopt_long(argc, argv, "e:jx:p:hV", long_options,
				   NULL)) != -1)
		status = take_option(code, subcommands, options);
	if (status != COMMAND_LINE_GO)
		return status;
	if (optind == argc && options->pid)
		return COMMAND_LINE_GO;
	if (optind == argc)
		return usage_error(subcommands, "which dump, core or process?");
	if (optind + 1 < argc || options->pid)
		return usage_error(subcommands, "one target at a time");
	options->path = argv[optind];
	return COMMAND_LINE_GO;
}
