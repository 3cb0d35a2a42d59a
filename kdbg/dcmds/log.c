/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::log - what the prompt shows, kept in a file. */
#include "kdbg/dcmds/dcmds.h"

#include <errno.h>
#include <string.h>

struct log_options {
	bool append, stop;
};

static const struct option log_options[] = {
	{ 'd', NULL, OPTION_FLAG, offsetof(struct log_options, stop), NULL,
	  "stop" },
	{ 'e', NULL, OPTION_FLAG, offsetof(struct log_options, append), NULL,
	  "go on at the end of the file" },
};

static const struct column log_columns[] = { { "LOG", VALUE_TEXT } };
static const struct table log_tables[] = { { "default", log_columns, 1 } };

static struct err *stop(struct session *session)
{
	FILE *log = session->log;

	session->log = NULL;
	if (log && fclose(log) != 0)
		return err_new(ERR_IO, "writing the log: %s", strerror(errno));
	return NULL;
}

static struct err *log_run(const struct dcmd_call *call, struct sink *out)
{
	const struct log_options *options = call->options;
	struct session *session = call->session;
	FILE *log;

	if (call->argc > 1 || (options->stop && call->argc))
		return err_new(ERR_USAGE, "a file, or -d");
	if (!call->argc && !options->stop) {
		SINK_ROW(out, TEXT(session->log ? "on" : "off"));
		return NULL;
	}
	if (options->stop)
		return stop(session);
	if (!session->interactive)
		return err_new(ERR_USAGE, "only at the prompt: elsewhere the "
					  "output can be redirected");
	log = fopen(call->argv[0], options->append ? "ae" : "we");
	if (!log)
		return err_new(ERR_IO, "%s: %s", call->argv[0],
			       strerror(errno));
	struct err *err = stop(session);
	session->log = log;
	return err;
}

const struct dcmd dcmd_log = {
	.name = "log",
	.aliases = (const char *const[]){ "$>", NULL },
	.summary = "keep in a file what the prompt shows",
	.help = "From the next line on the lines typed and what is shown of "
		"them go into the file too, which is replaced unless -e is "
		"given. Errors are not output and stay on the terminal. "
		"Without arguments, whether there is a log.",
	.example = "::log",
	.arguments = "[file]",
	.options = log_options,
	.option_count = 2,
	.options_size = sizeof(struct log_options),
	.tables = log_tables,
	.table_count = 1,
	.run = log_run,
};
