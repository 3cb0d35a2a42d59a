/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::grep and ::map - values of a pipe, chosen or changed by an expression. */
#include "kdbg/dcmds/dcmds.h"

static const struct column value_columns[] = { { "ADDR", VALUE_ADDRESS } };

static const struct table value_tables[] = {
	{ "default", value_columns, 1, .no_header = true },
};

static struct err *evaluate(const struct dcmd_call *call, uint64_t *ret)
{
	if (call->argc != 1)
		return err_new(ERR_USAGE,
			       "one expression: quote it where it has blanks");
	return session_map(call->session, call->argv[0], call->address, ret);
}

static struct err *grep_run(const struct dcmd_call *call, struct sink *out)
{
	uint64_t value = 0;
	struct err *err = evaluate(call, &value);

	if (!err && value)
		SINK_ROW(out, ADDRESS(call->address));
	return err;
}

static struct err *map_run(const struct dcmd_call *call, struct sink *out)
{
	uint64_t value = 0;
	struct err *err = evaluate(call, &value);

	if (!err)
		SINK_ROW(out, ADDRESS(value));
	return err;
}

const struct dcmd dcmd_grep = {
	.name = "grep",
	.summary = "let through the values for which an expression is not 0",
	.help = "The expression (or commands that yield a value) is evaluated "
		"with dot set to each value of the pipe. Comparisons with < "
		"and > stand in parentheses.",
	.example = "::walk kmem_cache | ::grep '(.&0xfff)==0'",
	.arguments = "expression",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "value",
	.tables = value_tables,
	.table_count = 1,
	.run = grep_run,
};

const struct dcmd dcmd_map = {
	.name = "map",
	.summary = "replace each value by that of an expression",
	.help = "The expression (or commands that yield a value) is evaluated "
		"with dot set to each value of the pipe, and its value goes "
		"on in the place of dot.",
	.example = "::walk kmem_cache | ::map *.",
	.arguments = "expression",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "value",
	.tables = value_tables,
	.table_count = 1,
	.run = map_run,
};
