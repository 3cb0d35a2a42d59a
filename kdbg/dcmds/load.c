/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::load ::unload ::dmods - modules. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/modules.h"

static const struct column no_columns[] = { { "MODULE", VALUE_TEXT } };
static const struct column modules_columns[] = {
	{ "MODULE", VALUE_TEXT, .width = 16 },
	{ "COMMANDS", VALUE_COUNT },
	{ "WALKERS", VALUE_COUNT },
	{ "PATH", VALUE_TEXT },
};

static const struct table load_tables[] = { { "default", no_columns, 1 } };
static const struct table dmods_tables[] = {
	{ "default", modules_columns, 4 },
};

static struct err *load_run(const struct dcmd_call *call, struct sink *out)
{
	(void)out;
	if (call->argc != 1)
		return err_new(ERR_USAGE, "which module?");
	return modules_load(call->session, call->argv[0]);
}

static struct err *unload_run(const struct dcmd_call *call, struct sink *out)
{
	(void)out;
	if (call->argc != 1)
		return err_new(ERR_USAGE, "which module? ::dmods lists them");
	return modules_unload(call->session, call->argv[0]);
}

static struct err *dmods_run(const struct dcmd_call *call, struct sink *out)
{
	struct module_facts facts;

	for (size_t i = 0; modules_at(call->session, i, &facts); i++)
		SINK_ROW(out, TEXT(facts.name), COUNT(facts.commands),
			 COUNT(facts.walkers), TEXT(facts.path));
	return NULL;
}

const struct dcmd dcmd_load = {
	.name = "load",
	.summary = "load a module: commands and walkers of your own",
	.help = "A module is a shared object made with kdbg_module.h; "
		"docs/example_module.c shows how. It runs inside kdbg, with "
		"all that you may do. A module that crashes is unloaded.",
	.example = "::load ./example.so",
	.arguments = "file",
	.tables = load_tables,
	.table_count = 1,
	.run = load_run,
};

const struct dcmd dcmd_unload = {
	.name = "unload",
	.summary = "forget a module's commands and walkers",
	.help = "By the name that ::dmods shows.",
	.example = "::unload example",
	.arguments = "module",
	.tables = load_tables,
	.table_count = 1,
	.run = unload_run,
};

const struct dcmd dcmd_dmods = {
	.name = "dmods",
	.summary = "the modules that were loaded",
	.help = "Their names, how many commands and walkers they have, and "
		"their files.",
	.example = "::dmods",
	.tables = dmods_tables,
	.table_count = 1,
	.run = dmods_run,
};
