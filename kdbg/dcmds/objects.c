/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::objects - the program and its libraries. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/symbols.h"
#include "kdbg/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BUILD_ID_MAX = 64 };

static const struct column objects_columns[] = {
	{ "BASE", VALUE_ADDRESS },
	{ "LIMIT", VALUE_ADDRESS },
	{ "SIZE", VALUE_SIZE, .width = 10 },
	{ "NAME", VALUE_TEXT },
	{ "BUILD ID", VALUE_TEXT, .width = 40, .wide = true },
	{ "SYMBOLS", VALUE_TEXT, .wide = true },
};

static const struct column verbose_columns[] = {
	{ "BASE", VALUE_ADDRESS },
	{ "LIMIT", VALUE_ADDRESS },
	{ "SIZE", VALUE_SIZE, .width = 10 },
	{ "NAME", VALUE_TEXT },
	{ "BUILD ID", VALUE_TEXT, .line = 1, .width = 46 },
	{ "SYMBOLS", VALUE_TEXT, .line = 1 },
	{ "DEBUG FILE", VALUE_TEXT, .line = 2 },
};

enum { TABLE_SHORT, TABLE_VERBOSE };
static const struct table objects_tables[] = {
	[TABLE_SHORT] = { "default", objects_columns,
			  sizeof(objects_columns) /
				  sizeof(objects_columns[0]) },
	[TABLE_VERBOSE] = { "-v", verbose_columns,
			    sizeof(verbose_columns) /
				    sizeof(verbose_columns[0]) },
};

struct objects_options {
	bool verbose;
};

static const struct option objects_options[] = {
	{ 'v', "verbose", OPTION_FLAG,
	  offsetof(struct objects_options, verbose), NULL,
	  "build ids, and where debug information comes from" },
};

static void emit_module(const struct dcmd_call *call, struct symbols *symbols,
			const struct dump_module *module, struct sink *out)
{
	const struct objects_options *options = call->options;
	const char *missing = symbols_module_status(symbols, module);
	char id[2 * BUILD_ID_MAX + 1] = "";

	for (size_t i = 0; i < module->build_id_size && i < BUILD_ID_MAX; i++)
		snprintf(id + 2 * i, 3, "%02x", module->build_id[i]);
	if (options->verbose)
		SINK_ROW(out, ADDRESS(module->base), ADDRESS(module->end),
			 SIZE(module->end - module->base), TEXT(module->path),
			 TEXT(*id ? id : NULL), TEXT(missing ? missing : "all"),
			 TEXT(symbols_debug_file(symbols, module)));
	else
		SINK_ROW(out, ADDRESS(module->base), ADDRESS(module->end),
			 SIZE(module->end - module->base), TEXT(module->path),
			 TEXT(*id ? id : NULL),
			 TEXT(missing ? missing : "all"));
}

/* What the column says that a narrow terminal has no room for. */
static void note_missing(struct symbols *symbols,
			 const struct dump_module *module, struct sink *out)
{
	const char *missing = symbols_module_status(symbols, module);
	const char *slash = strrchr(module->path, '/');

	if (missing && !out->wide && out->ops == &text_sink_ops)
		sink_note(out, "%s: %s", slash ? slash + 1 : module->path,
			  missing);
}

static struct err *objects_run(const struct dcmd_call *call, struct sink *out)
{
	const struct objects_options *options = call->options;
	const struct target *target = call->session->target;
	const char *name = call->argc ? call->argv[0] : "";
	size_t shown = 0;
	const struct dump_module *module;
	struct symbols *symbols;
	struct err *err = session_symbols(call->session, &symbols);

	if (err)
		return err;
	if (options->verbose)
		sink_table(out, &objects_tables[TABLE_VERBOSE]);
	if (call->has_address) {
		module = target_module_at(target, call->address);
		if (!module)
			return err_new(ERR_NOT_FOUND,
				       "%#" PRIx64 ": in no module",
				       call->address);
		emit_module(call, symbols, module, out);
		return NULL;
	}
	if (call->argc > 1)
		return err_new(ERR_USAGE, "one name at most");
	for (size_t i = 0; i < target->module_count && !out->failed; i++) {
		if (!strstr(target->modules[i].path, name))
			continue;
		emit_module(call, symbols, &target->modules[i], out);
		shown++;
	}
	if (*name && !shown)
		return err_new(ERR_NOT_FOUND, "no module has %s in its name",
			       name);
	for (size_t i = 0; i < target->module_count && !options->verbose; i++)
		if (strstr(target->modules[i].path, name))
			note_missing(symbols, &target->modules[i], out);
	return NULL;
}

const struct dcmd dcmd_objects = {
	.name = "objects",
	.summary = "the program and the libraries it has loaded",
	.help = "Where each module begins and ends, its size, its file, the "
		"build id that the file must have for its symbols to be used, "
		"and what of its symbols is missing, and why. With an address "
		"only the module that holds it, with a name those that have "
		"it in their path.",
	.example = "::objects libc",
	.arguments = "[object]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "address",
	.options = objects_options,
	.option_count = 1,
	.options_size = sizeof(struct objects_options),
	.tables = objects_tables,
	.table_count = 2,
	.run = objects_run,
};
