/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::functions - what an expression can call. */
#include "kdbg/functions.h"

#include "kdbg/dcmds/dcmds.h"

static const struct column functions_columns[] = {
	{ "FUNCTION", VALUE_TEXT, .width = 30 },
	{ "MEANING", VALUE_TEXT },
};

static const struct table functions_tables[] = {
	{ "default", functions_columns, 2 },
};

static struct err *functions_run(const struct dcmd_call *call, struct sink *out)
{
	const struct function *all;
	size_t count = functions(&all);

	(void)call;
	for (size_t i = 0; i < count; i++)
		SINK_ROW(out, TEXT(all[i].usage), TEXT(all[i].help));
	return NULL;
}

const struct dcmd dcmd_functions = {
	.name = "functions",
	.summary = "list the functions that expressions can call",
	.help = "A function stands in an expression as a value does: "
		"'bufsize(.) > 0t100' in ::grep, 'container(addr, struct "
		"foo, link)->name' before =. A type or a member is written as "
		"::print takes it, without quotes.",
	.example = "::functions",
	.tables = functions_tables,
	.table_count = 1,
	.run = functions_run,
};
