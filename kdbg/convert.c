/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From one kind of target to another. What is written appears under its name
 * when it is complete, as every dump does.
 */
#include "kdbg/convert.h"

#include "kdbg/exit_status.h"
#include "kdbg/process_ask.h"
#include "kdbg/process_refusal.h"
#include "kdbg/target_live.h"
#include "kdbg/target_save.h"
#include "kdbg/target_source.h"
#include "kdbg/utf8.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char convert_help[] =
	"usage: kdbg convert [--to core|dump] [--level L] IN OUT\n"
	"\n"
	"Turn a dump into an ELF core, which gdb opens, or a core into a "
	"dump.\n"
	"\n"
	"      --to KIND   what OUT is (default: what IN is not; with --level, "
	"a dump)\n"
	"      --level L   of a dump: full (all that IN has), heap (libkma's "
	"memory,\n"
	"                  stacks, data) or meta (statistics and stacks, no "
	"byte of\n"
	"                  the program's own)\n"
	"      --symbols   of a dump: with the names, files and lines of all "
	"stacks, so\n"
	"                  that it can be read where the program's files are "
	"not\n"
	"      --codec C   of a dump: zstd (default), zlib or none\n"
	"      --workers N processes that compress it (default: one for each "
	"processor)\n"
	"  -x, --executable EXE, --sysroot DIR  as for kdbg itself\n"
	"      --help\n"
	"\n"
	"example: kdbg convert --level meta core.4711 ticket.kdump\n";

static const char dump_help[] =
	"usage: kdbg dump -p PID -o FILE [--level L]\n"
	"\n"
	"Write a dump of a living process. One that has libkma makes a copy of "
	"itself\n"
	"and goes on; any other, or one that does not answer within a second, "
	"stands\n"
	"still while it is read. How long it stood still is told on standard "
	"error.\n"
	"\n"
	"  -p, --pid PID      the process\n"
	"  -o, --output FILE  the dump\n"
	"      --stop         read it from outside in any case\n"
	"      --level L, --symbols, --codec C, --workers N  see kdbg convert "
	"--help\n"
	"      --help\n"
	"\n"
	"example: kdbg dump -p 4711 -o server.kdump && kdbg server.kdump\n";

enum { NS_PER_MS = 1000000, NS_PER_US = 1000, TEXT_SIZE = 1024 };

enum output_kind { OUTPUT_EITHER, OUTPUT_CORE, OUTPUT_DUMP };

struct convert_options {
	const char *command; /* "convert" or "dump" */
	const char *help;
	const char *input, *output; /* input NULL: pid */
	pid_t pid;
	struct target_options target;
	enum output_kind kind;
	enum dump_level level;
	bool has_level;
	bool stop, symbols;
	struct dump_write_options write;
};

static int usage_error(const struct convert_options *options,
		       const char *message)
{
	if (message)
		fprintf(stderr, "kdbg %s: %s\n", options->command, message);
	fprintf(stderr, "kdbg %s --help tells more\n", options->command);
	return STATUS_USAGE;
}

static int fail(const struct convert_options *options, struct err *err)
{
	char text[TEXT_SIZE];

	if (!err)
		return STATUS_FINE;
	err_describe(err, text, sizeof(text));
	err_free(err);
	fprintf(stderr, "kdbg %s: ", options->command);
	utf8_put(stderr, text);
	fputc('\n', stderr);
	return STATUS_FAILED;
}

/* --- writing ------------------------------------------------------------ */

static void tell_size(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		fprintf(stderr, "%s: %" PRIu64 " KiB\n", path,
			(uint64_t)st.st_blocks / 2);
}

static struct err *write_core(struct target *target, const char *path)
{
	struct core_written written = { 0 };
	struct err *err = target_save_core(target, path, NULL, &written);

	if (!err && written.unreadable)
		fprintf(stderr,
			"kdbg convert: %" PRIu64
			" bytes are damaged and left out\n",
			written.unreadable);
	return err;
}

static struct err *write_dump(struct target *target,
			      const struct convert_options *options)
{
	return target_save_dump(target, options->output, options->level,
				options->symbols, &options->write, NULL);
}

/* --- kdbg convert ------------------------------------------------------- */

enum {
	CODE_SYSROOT = 256,
	CODE_TO,
	CODE_LEVEL,
	CODE_CODEC,
	CODE_WORKERS,
	CODE_STOP,
	CODE_SYMBOLS
};

static const struct option long_options[] = {
	{ "executable", required_argument, NULL, 'x' },
	{ "sysroot", required_argument, NULL, CODE_SYSROOT },
	{ "to", required_argument, NULL, CODE_TO },
	{ "level", required_argument, NULL, CODE_LEVEL },
	{ "codec", required_argument, NULL, CODE_CODEC },
	{ "workers", required_argument, NULL, CODE_WORKERS },
	{ "stop", no_argument, NULL, CODE_STOP },
	{ "symbols", no_argument, NULL, CODE_SYMBOLS },
	{ "pid", required_argument, NULL, 'p' },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool take_kind(const char *name, enum output_kind *ret)
{
	*ret = strcmp(name, "core") == 0   ? OUTPUT_CORE
	       : strcmp(name, "dump") == 0 ? OUTPUT_DUMP
					   : OUTPUT_EITHER;
	return *ret != OUTPUT_EITHER;
}

/* 1 to max */
static bool take_number(const char *text, long max, long *ret)
{
	char *end;

	*ret = strtol(text, &end, 10);
	return end != text && !*end && *ret > 0 && *ret <= max;
}

static int take_pid(struct convert_options *options)
{
	long number;

	if (!take_number(optarg, INT_MAX, &number))
		return usage_error(options, "-p wants a process's number");
	options->pid = (pid_t)number;
	return -1;
}

static int take_workers(struct convert_options *options)
{
	long number;

	if (!take_number(optarg, DUMP_WORKERS_MAX, &number))
		return usage_error(options, "--workers wants a number from 1 "
					    "to 64");
	options->write.workers = (unsigned)number;
	return -1;
}

static unsigned processors(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0
			    ? CPU_COUNT(&set)
			    : 1;

	return count > DUMP_WORKERS_MAX ? DUMP_WORKERS_MAX : (unsigned)count;
}

/* -1: go on; else what to exit with. */
static int take_option(int code, struct convert_options *options)
{
	switch (code) {
	case 'x':
		options->target.executable = optarg;
		return -1;
	case CODE_SYSROOT:
		options->target.sysroot = optarg;
		return -1;
	case CODE_TO:
		return take_kind(optarg, &options->kind)
			       ? -1
			       : usage_error(options, "--to core or dump");
	case CODE_LEVEL:
		options->has_level = true;
		return target_source_level(optarg, &options->level)
			       ? -1
			       : usage_error(options, "--level full, heap or "
						      "meta");
	case CODE_CODEC:
		return dump_codec_named(optarg, strlen(optarg),
					&options->write.codec)
			       ? -1
			       : usage_error(options, "--codec zstd, zlib or "
						      "none");
	case CODE_WORKERS:
		return take_workers(options);
	case CODE_STOP:
		options->stop = true;
		return -1;
	case CODE_SYMBOLS:
		options->symbols = true;
		return -1;
	case 'p':
		return take_pid(options);
	case 'o':
		options->output = optarg;
		return -1;
	case 'h':
		fputs(options->help, stdout);
		return STATUS_FINE;
	default:
		return usage_error(options, NULL);
	}
}

static int parse(int argc, char **argv, const char *letters,
		 struct convert_options *options)
{
	int status = -1, code;

	signal(SIGXFSZ, SIG_IGN); /* a limit is an error of write() */
	options->write.codec = dump_codec_default();
	options->write.workers = processors();
	optind = 1;
	while (status < 0 && (code = getopt_long(argc, argv, letters,
						 long_options, NULL)) != -1)
		status = take_option(code, options);
	return status;
}

static struct err *convert(const struct convert_options *options)
{
	enum output_kind kind = options->kind;
	struct target *target = NULL;
	struct err *err =
		target_open(options->input, &options->target, &target);

	if (err)
		return err;
	for (size_t i = 0; i < target->warning_count; i++)
		fprintf(stderr, "kdbg convert: %s: warning: %s\n", target->path,
			target->warnings[i]);
	if (kind == OUTPUT_EITHER)
		kind = options->has_level || options->symbols ||
				       strcmp(target->ops->kind, "dump") != 0
			       ? OUTPUT_DUMP
			       : OUTPUT_CORE;
	if (kind == OUTPUT_CORE)
		err = write_core(target, options->output);
	else
		err = write_dump(target, options);
	target_close(target);
	if (!err)
		tell_size(options->output);
	return err;
}

int convert_main(int argc, char **argv)
{
	struct convert_options options = { .command = "convert",
					   .help = convert_help };
	int status = parse(argc, argv, "x:h", &options);

	if (status >= 0)
		return status;
	if (argc - optind != 2)
		return usage_error(&options, "which file, and into which?");
	if (options.kind == OUTPUT_CORE &&
	    (options.has_level || options.symbols))
		return usage_error(&options, "--level and --symbols are for "
					     "dumps");
	options.input = argv[optind];
	options.output = argv[optind + 1];
	return fail(&options, convert(&options));
}

/* --- kdbg dump ---------------------------------------------------------- */

static void tell_pause(const char *path, uint64_t ns)
{
	fprintf(stderr,
		"the process stood still for %" PRIu64 ".%03" PRIu64 " ms\n",
		ns / NS_PER_MS, ns % NS_PER_MS / NS_PER_US);
	tell_size(path);
}

static struct err *dump_from_outside(const struct convert_options *options,
				     uint64_t *ns)
{
	struct target *target = NULL;
	struct err *err =
		target_live_open(options->pid, &options->target, &target);

	if (err)
		return err;
	err = write_dump(target, options);
	target_release(target, ns);
	target_close(target);
	return err;
}

/* ask->heard: it is done, well or not. */
static struct err *ask_for_dump(const struct convert_options *options,
				struct process_ask *ask)
{
	struct dump_output output;
	int status = dump_output_open(&output, options->output);

	if (status < 0)
		return err_new(ERR_IO, "%s: %s", options->output,
			       strerror(-status));
	/* The process may answer late, when the output is closed: a number of
	 * ours that it knows is never used again. */
	int kept = dup(output.fd);
	*ask = (struct process_ask){ .pid = options->pid,
				     .output = kept,
				     .level = options->level,
				     .symbols = options->symbols,
				     .write = options->write };
	struct err *err = kept < 0 ? err_new(ERR_IO, "%s", strerror(errno))
				   : process_ask(ask);
	return target_save_finish(&output, ask->heard ? 0 : -ECANCELED, err);
}

static struct err *dump(const struct convert_options *options)
{
	struct process_ask ask = { 0 };
	struct err *err = process_check(options->pid);

	if (!err && !options->stop)
		err = ask_for_dump(options, &ask);
	if (!err && ask.has_libkma && !ask.heard)
		fprintf(stderr,
			"kdbg dump: process %d does not answer: it is stopped "
			"and read from outside\n",
			(int)options->pid);
	if (!err && !ask.heard)
		err = dump_from_outside(options, &ask.pause_ns);
	if (!err)
		tell_pause(options->output, ask.pause_ns);
	return err;
}

int dump_main(int argc, char **argv)
{
	struct convert_options options = { .command = "dump",
					   .help = dump_help };
	int status = parse(argc, argv, "p:o:h", &options);

	if (status >= 0)
		return status;
	if (!options.pid || !options.output || optind < argc)
		return usage_error(&options, "which process (-p), and into "
					     "which file (-o)?");
	return fail(&options, dump(&options));
}
