/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::echo - words, as a line or as values. */
#include "kdbg/dcmds/dcmds.h"

#include <stdlib.h>
#include <string.h>

static const struct column echo_columns[] = {
	{ "VALUE", VALUE_ADDRESS },
	{ "TEXT", VALUE_TEXT },
};

static const struct table echo_tables[] = {
	{ "default", echo_columns, 2, .no_header = true },
};

static struct err *pass_on(const struct dcmd_call *call, struct sink *out)
{
	struct err *err = NULL;

	for (int i = 0; i < call->argc && !err && !out->failed; i++) {
		uint64_t value;

		err = session_evaluate(call->session, call->argv[i], &value);
		if (!err)
			SINK_ROW(out, ADDRESS(value), TEXT(call->argv[i]));
		else
			err = err_wrap(err, "'%s'", call->argv[i]);
	}
	return err;
}

static char *join(int count, const char *const *words)
{
	size_t size = 1;

	for (int i = 0; i < count; i++)
		size += strlen(words[i]) + 1;
	char *line = calloc(1, size);
	char *end = line;
	for (int i = 0; line && i < count; i++) {
		if (i)
			*end++ = ' ';
		end = mempcpy(end, words[i], strlen(words[i]));
	}
	return line;
}

static struct err *echo_run(const struct dcmd_call *call, struct sink *out)
{
	if (call->to_pipe)
		return pass_on(call, out);

	char *line = join(call->argc, call->argv);
	if (!line)
		return err_new(ERR_NO_MEMORY, "out of memory");
	if (*line)
		SINK_ROW_AS(out, line, ABSENT(VALUE_ADDRESS), TEXT(line));
	else
		sink_line(out, "%s", line);
	free(line);
	return NULL;
}

const struct dcmd dcmd_echo = {
	.name = "echo",
	.summary = "print words, or feed their values to a pipe",
	.help = "Words are printed as they are, with blanks between; "
		"$[ expression ] in a word is replaced by its value. Into a "
		"pipe go the values of the words, each an expression. In a "
		"pipe it is run for each value that comes, which is dot.",
	.example = "::echo main <rsp | ::whatis",
	.arguments = "word ...",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "value",
	.tables = echo_tables,
	.table_count = 1,
	.run = echo_run,
};
