/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::load ::unload ::dmods - modules. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/modules.h"
#include "kdbg/search_path.h"

#include <stdlib.h>
#include <string.h>

static const struct column no_columns[] = { { "MODULE", VALUE_TEXT } };
static const struct column modules_columns[] = {
	{ "MODULE", VALUE_TEXT, .width = 16 },
	{ "COMMANDS", VALUE_COUNT },
	{ "WALKERS", VALUE_COUNT },
	{ "PATH", VALUE_TEXT },
};

static const struct table load_tables[] = { { "default", no_columns, 1 } };
static const struct column contents_columns[] = {
	{ "MODULE", VALUE_TEXT, .width = 16 },
	{ "KIND", VALUE_TEXT, .width = 8 },
	{ "NAME", VALUE_TEXT, .width = 20 },
	{ "SUMMARY", VALUE_TEXT },
};

enum { TABLE_MODULES, TABLE_CONTENTS };
static const struct table dmods_tables[] = {
	[TABLE_MODULES] = { "default", modules_columns, 4 },
	[TABLE_CONTENTS] = { "-l", contents_columns, 4 },
};

struct dmods_options {
	bool list;
};

static const struct option dmods_options[] = {
	{ 'l', "list", OPTION_FLAG, offsetof(struct dmods_options, list), NULL,
	  "their commands and walkers" },
};

static struct err *load_run(const struct dcmd_call *call, struct sink *out)
{
	(void)out;
	if (call->argc != 1)
		return err_new(ERR_USAGE, "which module?");
	char *path = search_path(call->session->module_path, call->argv[0]);
	struct err *err = path ? modules_load(call->session, path)
			       : err_new(ERR_NO_MEMORY, "out of memory");
	free(path);
	return err;
}

static struct err *unload_run(const struct dcmd_call *call, struct sink *out)
{
	(void)out;
	if (call->argc != 1)
		return err_new(ERR_USAGE, "which module? ::dmods lists them");
	return modules_unload(call->session, call->argv[0]);
}

static void list_contents(const struct session *session, size_t module,
			  const char *of, struct sink *out)
{
	const char *name, *summary;

	for (size_t i = 0; modules_command(session, module, i, &name, &summary);
	     i++)
		SINK_ROW(out, TEXT(of), TEXT("command"), TEXT(name),
			 TEXT(summary));
	for (size_t i = 0; modules_walker(session, module, i, &name, &summary);
	     i++)
		SINK_ROW(out, TEXT(of), TEXT("walker"), TEXT(name),
			 TEXT(summary));
}

static struct err *dmods_run(const struct dcmd_call *call, struct sink *out)
{
	const struct dmods_options *options = call->options;
	const char *wanted = call->argc ? call->argv[0] : NULL;
	struct module_facts facts;
	bool found = false;

	if (options->list)
		sink_table(out, &dmods_tables[TABLE_CONTENTS]);
	for (size_t i = 0; modules_at(call->session, i, &facts); i++) {
		if (wanted && strcmp(wanted, facts.name) != 0)
			continue;
		found = true;
		if (options->list)
			list_contents(call->session, i, facts.name, out);
		else
			SINK_ROW(out, TEXT(facts.name), COUNT(facts.commands),
				 COUNT(facts.walkers), TEXT(facts.path));
	}
	if (wanted && !found)
		return err_new(ERR_NOT_FOUND, "no module %s is loaded", wanted);
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
		"their files; or what the commands and walkers are.",
	.example = "::dmods -l",
	.arguments = "[module]",
	.options = dmods_options,
	.option_count = 1,
	.options_size = sizeof(struct dmods_options),
	.tables = dmods_tables,
	.table_count = 2,
	.run = dmods_run,
};
