/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::vars and ::unset - the variables of the language. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/variables.h"

struct vars_options {
	bool set_only; /* not 0 */
};

static const struct option vars_options[] = {
	{ 'n', NULL, OPTION_FLAG, offsetof(struct vars_options, set_only), NULL,
	  "only those that are not 0" },
};

static const struct column vars_columns[] = {
	{ "NAME", VALUE_TEXT, .width = 16 },
	{ "VALUE", VALUE_ADDRESS },
};

static const struct table vars_tables[] = {
	{ "default", vars_columns, 2 },
};

static struct err *vars_run(const struct dcmd_call *call, struct sink *out)
{
	const struct vars_options *options = call->options;
	const struct variables *variables = call->session->variables;

	for (size_t i = 0; i < variables->count; i++) {
		const struct variable *variable = &variables->items[i];

		if (variable->value || !options->set_only)
			SINK_ROW(out, TEXT(variable->name),
				 ADDRESS(variable->value));
	}
	return NULL;
}

struct typeset_options {
	bool read_only;
};

static const struct option typeset_options[] = {
	{ 'r', NULL, OPTION_FLAG, offsetof(struct typeset_options, read_only),
	  NULL, "they may not be set from now on; without it they may" },
};

static struct err *typeset_run(const struct dcmd_call *call, struct sink *out)
{
	const struct typeset_options *options = call->options;
	struct err *err = NULL;

	if (call->argc == 0)
		return vars_run(
			&(struct dcmd_call){
				.session = call->session,
				.options = &(struct vars_options){ false } },
			out);
	for (int i = 0; i < call->argc && !err; i++)
		err = variables_declare(call->session->variables, call->argv[i],
					options->read_only);
	return err;
}

static struct err *unset_run(const struct dcmd_call *call, struct sink *out)
{
	(void)out;
	if (call->argc == 0)
		return err_new(ERR_USAGE, "which variable?");
	for (int i = 0; i < call->argc; i++)
		if (!variables_unset(call->session->variables, call->argv[i]))
			return err_new(ERR_NOT_FOUND,
				       "variable '%s' is not set",
				       call->argv[i]);
	return NULL;
}

static const char *const vars_aliases[] = { "$v", NULL };

const struct dcmd dcmd_vars = {
	.name = "vars",
	.aliases = vars_aliases,
	.summary = "list the variables that were set",
	.help = "value>name sets a variable and <name reads it. The registers "
		"of the thread that died, and its id as <thread, can be read "
		"in the same way; ::regs shows them.",
	.example = "main>here; ::vars",
	.options = vars_options,
	.option_count = 1,
	.options_size = sizeof(struct vars_options),
	.tables = vars_tables,
	.table_count = 1,
	.run = vars_run,
};

const struct dcmd dcmd_typeset = {
	.name = "typeset",
	.summary = "make variables, or say whether they may change",
	.help = "A variable that is not there is made, with the value 0. "
		"Without names all variables are listed.",
	.example = "main>here; ::typeset -r here",
	.arguments = "[variable ...]",
	.options = typeset_options,
	.option_count = 1,
	.options_size = sizeof(struct typeset_options),
	.tables = vars_tables,
	.table_count = 1,
	.run = typeset_run,
};

const struct dcmd dcmd_unset = {
	.name = "unset",
	.summary = "forget variables",
	.help = "Reading a variable that is not set is an error.",
	.example = "1>one; ::unset one",
	.arguments = "variable ...",
	.run = unset_run,
};
