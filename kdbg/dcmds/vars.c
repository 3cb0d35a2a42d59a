/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::vars, ::typeset and ::unset - the variables of the language. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/own_variables.h"
#include "kdbg/variables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 256 };

struct vars_options {
	bool all;
	bool set_only; /* not 0 */
	bool commands;
	bool tagged;
};

static const struct option vars_options[] = {
	{ 'a', "all", OPTION_FLAG, offsetof(struct vars_options, all), NULL,
	  "also those that kdbg keeps, and registers" },
	{ 'n', NULL, OPTION_FLAG, offsetof(struct vars_options, set_only), NULL,
	  "only those that are not 0" },
	{ 'p', NULL, OPTION_FLAG, offsetof(struct vars_options, commands), NULL,
	  "as commands that set them, for a file that $< reads" },
	{ 't', NULL, OPTION_FLAG, offsetof(struct vars_options, tagged), NULL,
	  "only those that ::typeset -t tagged" },
};

static const struct column vars_columns[] = {
	{ "NAME", VALUE_TEXT, .width = 16 },
	{ "VALUE", VALUE_ADDRESS },
};

static const struct table vars_tables[] = {
	{ "default", vars_columns, 2 },
};

static const struct table command_tables[] = {
	{ "default", vars_columns, 2 },
	{ "-p", vars_columns, 2, .no_header = true },
};

struct listing {
	const struct vars_options *options;
	struct sink *out;
};

static void emit(void *context, const char *name, uint64_t value)
{
	const struct listing *listing = context;
	char text[TEXT_SIZE];

	if (listing->options->set_only && !value)
		return;
	snprintf(text, sizeof(text), "0x%" PRIx64 ">%s", value, name);
	SINK_ROW_AS(listing->out, listing->options->commands ? text : NULL,
		    TEXT(name), ADDRESS(value));
}

static struct err *list(const struct dcmd_call *call,
			const struct vars_options *options, struct sink *out)
{
	const struct variables *variables = call->session->variables;
	struct listing listing = { options, out };

	if (options->commands)
		sink_table(out, &command_tables[1]);
	for (size_t i = 0; i < variables->count; i++) {
		const struct variable *variable = &variables->items[i];

		if (variable->tagged || !options->tagged)
			emit(&listing, variable->name, variable->value);
	}
	if (options->all)
		own_variables_each(call->session, emit, &listing);
	return NULL;
}

static struct err *vars_run(const struct dcmd_call *call, struct sink *out)
{
	return list(call, call->options, out);
}

/* Attributes as words say them: -r -t switch on, +r +t off; without r, a
 * variable may be set. */
struct attributes {
	bool read_only;
	bool tag, untag;
};

static void apply(struct variable *variable, const struct attributes *wanted)
{
	variable->read_only = wanted->read_only;
	if (wanted->tag || wanted->untag)
		variable->tagged = wanted->tag;
}

static struct err *typeset_run(const struct dcmd_call *call, struct sink *out)
{
	const struct attributes *options = call->options;
	struct attributes wanted = *options;
	struct variable *variable;
	struct err *err = NULL;
	int named = 0;

	for (int i = 0; i < call->argc && !err; i++) {
		const char *word = call->argv[i];

		if (strcmp(word, "+r") == 0 || strcmp(word, "+t") == 0) {
			wanted.read_only &= word[1] != 'r';
			wanted.untag |= word[1] == 't';
			continue;
		}
		named++;
		err = variables_declare(call->session->variables, word,
					call->session->dot, &variable);
		if (!err)
			apply(variable, &wanted);
	}
	return err || named
		       ? err
		       : list(call,
			      &(struct vars_options){ .tagged = wanted.tag },
			      out);
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

static const struct option typeset_options[] = {
	{ 'r', NULL, OPTION_FLAG, offsetof(struct attributes, read_only), NULL,
	  "they may not be set from now on; without it they may" },
	{ 't', NULL, OPTION_FLAG, offsetof(struct attributes, tag), NULL,
	  "tag them, for ::vars -t; +t takes the tag away" },
};

static const char *const vars_aliases[] = { "$v -n", NULL };

const struct dcmd dcmd_vars = {
	.name = "vars",
	.aliases = vars_aliases,
	.summary = "list the variables that were set",
	.help = "value>name sets a variable and <name reads it. What kdbg "
		"keeps can be read in the same way: <thread and the registers "
		"of the thread that died (::regs), <0 the value last "
		"formatted, <9 the count that a macro was given, <b and <d "
		"where the program's data begins and how long it is, <e its "
		"entry, <m the first word of its file, <t how long its code "
		"is.",
	.example = "main>here; ::vars",
	.options = vars_options,
	.option_count = sizeof(vars_options) / sizeof(vars_options[0]),
	.options_size = sizeof(struct vars_options),
	.tables = command_tables,
	.table_count = 2,
	.run = vars_run,
};

const struct dcmd dcmd_typeset = {
	.name = "typeset",
	.summary = "make variables, or say whether they may change",
	.help = "A variable that is not there is made, with dot as its value. "
		"Without names all variables are listed; with -t alone those "
		"with a tag.",
	.example = "main>here; ::typeset -r here",
	.arguments = "[+t] [variable ...]",
	.options = typeset_options,
	.option_count = sizeof(typeset_options) / sizeof(typeset_options[0]),
	.options_size = sizeof(struct attributes),
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
