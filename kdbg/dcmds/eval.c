/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::eval - commands as text, for each value of a pipe. */
#include "kdbg/dcmds/dcmds.h"

/* What it emits is what the commands emit: it has a table so that its rows can
 * go on in a pipe. */
static const struct column eval_columns[] = { { "ADDR", VALUE_ADDRESS } };

static const struct table eval_tables[] = {
	{ "the commands' own", eval_columns, 1, .no_header = true },
};

static struct err *eval_run(const struct dcmd_call *call, struct sink *out)
{
	if (call->argc != 1)
		return err_new(ERR_USAGE,
			       "one text: quote it where it has blanks");
	return session_eval(call->session, call->argv[0], out);
}

const struct dcmd dcmd_eval = {
	.name = "eval",
	.summary = "run commands given as text",
	.help = "In a pipe the commands run once for each value, with dot set "
		"to it. The first that fails ends them.",
	.example = "::walk kmem_cache | ::eval './K; .::kmem_cache'",
	.arguments = "commands",
	.address_use = ADDRESS_OPTIONAL,
	.tables = eval_tables,
	.table_count = 1,
	.run = eval_run,
};
