/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::source and ::cat - files of commands, and of values. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/search_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct column source_columns[] = { { "ADDR", VALUE_ADDRESS } };

struct source_options {
	bool replace;
};

static const struct option source_options[] = {
	{ 'r', "replace", OPTION_FLAG, offsetof(struct source_options, replace),
	  NULL,
	  "instead of the rest of the file that this stands in, as $< does" },
};

static const struct table source_tables[] = {
	{ "the commands' own", source_columns, 1, .no_header = true },
};

static const struct table cat_tables[] = {
	{ "default", source_columns, 1, .no_header = true },
};

enum { LINE_SIZE = 1 << 16 };

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

/* False: the end. What is no text would be one line without an end. */
static bool next_line(FILE *stream, char line[LINE_SIZE], struct err **err)
{
	line[LINE_SIZE - 2] = '\n'; /* until something else is read there */
	if (!fgets(line, LINE_SIZE, stream))
		return false;
	if (line[LINE_SIZE - 2] != '\n')
		*err = err_new(ERR_USAGE, "a line of more than %d characters",
			       LINE_SIZE - 2);
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/* A line may hand over to another file: then what is left is not run. */
static struct err *each_line_of(const struct dcmd_call *call, const char *path,
				line_fn *run, struct sink *out)
{
	struct session *session = call->session;
	char *line = malloc(LINE_SIZE);
	FILE *stream = fopen(path, "re");
	struct err *err = NULL;
	unsigned number = 0;

	if (!stream || !line)
		err = err_new(ERR_IO, "%s: %s", path, strerror(errno));
	while (!err && !out->failed && !session->replaced && !session->quit &&
	       !session_interrupted(session) && next_line(stream, line, &err)) {
		number++;
		if (!err)
			err = run(call, line, out);
	}
	free(line);
	if (!stream)
		return err;
	fclose(stream);
	session->replaced = false;
	return err_wrap(err, "%s:%u", path, number);
}

static struct err *each_line(const struct dcmd_call *call, line_fn *run,
			     struct sink *out)
{
	char *path;

	if (call->argc != 1)
		return err_new(ERR_USAGE, "one file");
	path = search_path(call->session->macro_path, call->argv[0]);
	if (!path)
		return err_new(ERR_NO_MEMORY, "out of memory");
	struct err *err = each_line_of(call, path, run, out);
	free(path);
	return err;
}

static struct err *source_run(const struct dcmd_call *call, struct sink *out)
{
	const struct source_options *options = call->options;
	if (call->has_count)
		call->session->macro_count = call->count;
	struct err *err = each_line(call, run_line, out);
	call->session->replaced = options->replace;
	return err;
}

static struct err *cat_run(const struct dcmd_call *call, struct sink *out)
{
	return each_line(call, pass_on, out);
}

static const char *const source_aliases[] = { "$< -r", "$<<", NULL };

const struct dcmd dcmd_source = {
	.name = "source",
	.aliases = source_aliases,
	.summary = "run the commands of a file",
	.help = "Dot is the address, <9 the count: what a macro is about. The "
		"first command that fails ends the file. A name without a "
		"directory is looked for here, then where ::set macros=DIR:DIR "
		"says.",
	.example = "::source leaks.kdbg",
	.arguments = "file",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "thing",
	.takes_count = true,
	.options = source_options,
	.option_count = 1,
	.options_size = sizeof(struct source_options),
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
