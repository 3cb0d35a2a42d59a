/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::source and ::cat - files of commands, and of values. */
#include "kdbg/dcmds/dcmds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct column source_columns[] = { { "ADDR", VALUE_ADDRESS } };

static const struct table source_tables[] = {
	{ "the commands' own", source_columns, 1, .no_header = true },
};

static const struct table cat_tables[] = {
	{ "default", source_columns, 1, .no_header = true },
};

typedef struct err *line_fn(const struct dcmd_call *call, const char *line,
			    struct sink *out);

static struct err *run_line(const struct dcmd_call *call, const char *line,
			    struct sink *out)
{
	return session_eval(call->session, line, out);
}

static struct err *pass_on(const struct dcmd_call *call, const char *line,
			   struct sink *out)
{
	uint64_t value;

	if (!line[strspn(line, " \t\n")])
		return NULL;
	struct err *err = session_evaluate(call->session, line, &value);
	if (!err)
		SINK_ROW(out, ADDRESS(value));
	return err;
}

static struct err *each_line(const struct dcmd_call *call, line_fn *run,
			     struct sink *out)
{
	struct err *err = NULL;
	unsigned number = 0;
	char *line = NULL;
	size_t size = 0;

	if (call->argc != 1)
		return err_new(ERR_USAGE, "one file");
	FILE *stream = fopen(call->argv[0], "re");
	if (!stream)
		return err_new(ERR_IO, "%s: %s", call->argv[0],
			       strerror(errno));
	while (!err && !out->failed && !session_interrupted(call->session) &&
	       getline(&line, &size, stream) >= 0) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		err = run(call, line, out);
	}
	free(line);
	fclose(stream);
	return err_wrap(err, "%s:%u", call->argv[0], number);
}

static struct err *source_run(const struct dcmd_call *call, struct sink *out)
{
	return each_line(call, run_line, out);
}

static struct err *cat_run(const struct dcmd_call *call, struct sink *out)
{
	return each_line(call, pass_on, out);
}

static const char *const source_aliases[] = { "$<", "$<<", NULL };

const struct dcmd dcmd_source = {
	.name = "source",
	.aliases = source_aliases,
	.summary = "run the commands of a file",
	.help = "The first command that fails ends the file.",
	.example = "::source leaks.kdbg",
	.arguments = "file",
	.tables = source_tables,
	.table_count = 1,
	.run = source_run,
};

const struct dcmd dcmd_cat = {
	.name = "cat",
	.summary = "feed the values in a file, one a line, to a pipe",
	.help = "Each line of the file is an expression.",
	.example = "::cat addresses | ::whatis",
	.arguments = "file",
	.tables = cat_tables,
	.table_count = 1,
	.run = cat_run,
};
