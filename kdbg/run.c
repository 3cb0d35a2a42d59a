/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every process of the run writes FILE.PID when it ends; the command's is then
 * renamed to FILE. So a name is settled by who wrote it, not by who was first,
 * and FILE is never half a dump.
 */
#include "kdbg/run.h"

#include "kdbg/supervise.h"
#include "kdbg/supervise_environment.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUN_USAGE = 2, RUN_GRACE = 10 };

static const char help_text[] =
	"usage: kdbg run [-o FILE] [--tier T] -- CMD ARG...\n"
	"\n"
	"Run CMD under libkma. When it ends, its dump is FILE; that of a "
	"child\n"
	"with process id PID is FILE.PID. CMD's exit status is kdbg's: 128 "
	"and\n"
	"the signal when it was killed, 127 when there is no CMD, 126 when it "
	"is\n"
	"not a program. Standard input, terminal and signals are CMD's own.\n"
	"\n"
	"  -o, --output FILE  the dump (default CMD.kdump in this folder)\n"
	"      --tier T       off, lite, audit or guard (default: "
	"KMA_DEBUG's,\n"
	"                     or audit)\n"
	"      --help         this text\n"
	"      --version      the version\n"
	"\n"
	"example: kdbg run -o ls.kdump -- ls -l && kdbg ls.kdump\n";

struct run_options {
	const char *output; /* NULL: after the command */
	const char *tier;
	char *const *argv;
};

static int complain(const char *text)
{
	fprintf(stderr, "kdbg run: %s\n", text);
	return RUN_USAGE;
}

/* False: *status is what to exit with. */
static bool parse_options(int argc, char **argv, struct run_options *ret,
			  int *status)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "tier", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*status = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, "+o:", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			ret->output = optarg;
			break;
		case 't':
			ret->tier = optarg;
			break;
		case 'h':
			fputs(help_text, stdout);
			return false;
		case 'v':
			puts("kdbg " KMA_VERSION);
			return false;
		default:
			*status = RUN_USAGE;
			return false;
		}
	}
	ret->argv = argv + optind;
	if (ret->argv[0] && supervise_is_tier(ret->tier))
		return true;
	*status = complain(ret->argv[0] ? "--tier is one of off, lite, audit, "
					  "default, guard"
					: "no command; see kdbg run --help");
	return false;
}

static struct err *absolute_path(const char *name, char **ret)
{
	char *folder = name[0] == '/' ? strdup("") : getcwd(NULL, 0);
	int size = folder ? asprintf(ret, "%s%s%s", folder, *folder ? "/" : "",
				     name)
			  : -1;

	free(folder);
	return size < 0 ? err_new(ERR_IO, "working directory: %s",
				  strerror(errno))
			: NULL;
}

/* FILE, where the command's dump goes, as a path that holds everywhere. */
static struct err *output_path(const struct run_options *options, char **ret)
{
	const char *name = options->output;
	char *made = NULL;

	if (!name) {
		const char *slash = strrchr(options->argv[0], '/');
		if (asprintf(&made, "%s.kdump",
			     slash ? slash + 1 : options->argv[0]) < 0)
			return err_new(ERR_NO_MEMORY, "out of memory");
		name = made;
	}
	struct err *err = absolute_path(name, ret);
	free(made);
	return err;
}

/* The newest dump of the command's process; NULL: none. */
static const struct account *find_dump(const struct supervised *supervised)
{
	const struct account *list, *found = NULL;
	size_t count = accounts_list(supervised->accounts, &list);

	for (size_t i = 0; i < count; i++)
		if (list[i].pid == (uint32_t)supervised->command &&
		    list[i].command)
			found = &list[i];
	return found;
}

/* Before the command runs for nothing; and no dump replaces a device. */
static struct err *check_output(const char *output)
{
	char *folder = strndup(output, (size_t)(strrchr(output, '/') - output));
	struct err *err = NULL;
	struct stat status;

	if (!folder)
		return err_new(ERR_NO_MEMORY, "out of memory");
	if (access(*folder ? folder : "/", W_OK | X_OK))
		err = err_new(ERR_IO, "%s: %s", output, strerror(errno));
	else if (lstat(output, &status) == 0 && !S_ISREG(status.st_mode))
		err = err_new(ERR_IO, "%s: is no regular file", output);
	free(folder);
	return err;
}

static struct err *take_dump(const struct supervised *supervised,
			     const char *output)
{
	const struct account *account = find_dump(supervised);
	char *written;

	if (!account || !account->hello)
		return err_new(ERR_UNSUPPORTED,
			       "%s: libkma never ran in it (static, set-uid, "
			       "or with an empty environment?): no dump",
			       account ? account->path : "the command");
	if (!account->dump)
		return err_new(ERR_IO, "%s: no dump: %s", account->path,
			       account->failure
				       ? strerror((int)account->failure)
				       : "it ended too suddenly");
	if (asprintf(&written, "%s.%d", output, (int)supervised->command) < 0)
		return err_new(ERR_NO_MEMORY, "out of memory");
	struct err *err = NULL;
	if (rename(written, output))
		err = err_new(ERR_IO, "%s: %s", output, strerror(errno));
	free(written);
	return err;
}

/* A failure of ours is told, and is the status only if the command has none:
 * its own status is what the caller is after. */
static int finish(const struct supervised *supervised, const char *command,
		  const char *output)
{
	int status = supervised_status(supervised);
	struct err *err = NULL;
	char text[512];

	if (supervised->exec_error)
		err = err_new(ERR_NOT_FOUND, "%s: %s", command,
			      strerror(supervised->exec_error));
	else
		err = take_dump(supervised, output);
	if (!err)
		return status;
	err_describe(err, text, sizeof(text));
	fprintf(stderr, "kdbg run: %s\n", text);
	err_free(err);
	return status ? status : 1;
}

static struct err *run(const struct run_options *options, const char *directory,
		       int *status)
{
	struct supervise_options supervise = { .argv = options->argv,
					       .tier = options->tier,
					       .grace = RUN_GRACE };
	struct supervised supervised;
	char *output = NULL, *dump = NULL;
	struct err *err = output_path(options, &output);

	if (!err)
		err = check_output(output);
	if (!err)
		err = supervise_dump_option(output, "%p", NULL, &dump);
	supervise.dump = dump;
	if (!err)
		err = supervise_run(&supervise, directory, &supervised);
	if (!err) {
		*status = finish(&supervised, options->argv[0], output);
		supervised_deinit(&supervised);
	}
	free(dump);
	free(output);
	return err;
}

int run_main(int argc, char **argv)
{
	struct run_options options = { NULL };
	char *directory = NULL;
	char text[512];
	int status = 1;

	if (!parse_options(argc, argv, &options, &status))
		return status;
	struct err *err = supervise_directory(&directory);
	if (!err) {
		err = run(&options, directory, &status);
		supervise_remove_directory(directory);
		free(directory);
	}
	if (!err)
		return status;
	err_describe(err, text, sizeof(text));
	fprintf(stderr, "kdbg run: %s\n", text);
	err_free(err);
	return 1;
}
