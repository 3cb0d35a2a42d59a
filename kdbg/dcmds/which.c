/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::which - what a name is: a command or a walker, and whose. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/usage.h"

#include <string.h>

struct which_options {
	bool verbose;
};

static const struct option which_options[] = {
	{ 'v', "verbose", OPTION_FLAG, offsetof(struct which_options, verbose),
	  NULL, "what it does, too" },
};

static const struct column which_columns[] = {
	{ "NAME", VALUE_TEXT, .width = 20 },
	{ "KIND", VALUE_TEXT, .width = 8 },
	{ "IS", VALUE_TEXT, .width = 20 },
};

static const struct column verbose_columns[] = {
	{ "NAME", VALUE_TEXT, .width = 20 },
	{ "KIND", VALUE_TEXT, .width = 8 },
	{ "IS", VALUE_TEXT, .width = 20 },
	{ "SUMMARY", VALUE_TEXT },
};

enum { TABLE_SHORT, TABLE_VERBOSE };
static const struct table which_tables[] = {
	[TABLE_SHORT] = { "default", which_columns, 3 },
	[TABLE_VERBOSE] = { "-v", verbose_columns, 4 },
};

static void emit(const struct dcmd_call *call, const char *name,
		 const char *kind, const char *is, const char *summary,
		 struct sink *out)
{
	const struct which_options *options = call->options;

	if (options->verbose)
		SINK_ROW(out, TEXT(name), TEXT(kind), TEXT(is), TEXT(summary));
	else
		SINK_ROW(out, TEXT(name), TEXT(kind), TEXT(is));
}

static struct err *which_one(const struct dcmd_call *call, const char *name,
			     struct sink *out)
{
	const struct session *session = call->session;
	const struct dcmd *dcmd = session_dcmd(session, name);
	const struct walker *walker = session_walker(session, name);
	const char *like = usage_nearest_dcmd(session, name);

	if (dcmd)
		emit(call, name, "command", dcmd->name, dcmd->summary, out);
	if (walker)
		emit(call, name, "walker", walker->name, walker->summary, out);
	if (dcmd || walker)
		return NULL;
	if (like)
		return err_new(ERR_NOT_FOUND,
			       "no command or walker %s (did you mean %s?)",
			       name, like);
	return err_new(ERR_NOT_FOUND, "no command or walker %s", name);
}

static struct err *which_run(const struct dcmd_call *call, struct sink *out)
{
	const struct which_options *options = call->options;
	struct err *err = NULL;

	if (!call->argc)
		return err_new(ERR_USAGE, "which name?");
	sink_table(
		out,
		&which_tables[options->verbose ? TABLE_VERBOSE : TABLE_SHORT]);
	for (int i = 0; i < call->argc && !err; i++) {
		const char *name = call->argv[i];

		err = which_one(call,
				name + (strncmp(name, "::", 2) == 0 ? 2 : 0),
				out);
	}
	return err;
}

const struct dcmd dcmd_which = {
	.name = "which",
	.aliases = (const char *const[]){ "whence", NULL },
	.summary = "what a name is: a command, a walker, an alias of one",
	.help = "A name may be both a command and a walker; IS is the name "
		"under which ::help explains it.",
	.example = "::which umastat thread",
	.arguments = "command ...",
	.options = which_options,
	.option_count = 1,
	.options_size = sizeof(struct which_options),
	.tables = which_tables,
	.table_count = 2,
	.run = which_run,
};
