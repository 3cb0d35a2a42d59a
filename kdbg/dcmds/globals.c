/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::globals and ::files - what the symbol tables tell of the program. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/symbol_records.h"
#include "kdbg/symbols.h"
#include "kdbg/target.h"

#include <elf.h>

static const struct column globals_columns[] = {
	{ "ADDR", VALUE_ADDRESS }, { "VALUE", VALUE_ADDRESS },
	{ "SIZE", VALUE_HEX },     { "OBJECT", VALUE_TEXT, .wide = true },
	{ "NAME", VALUE_TEXT },
};

static const struct table globals_tables[] = {
	{ "default", globals_columns, 5 },
};

static const struct column files_columns[] = {
	{ "OBJECT", VALUE_TEXT, .width = 20 },
	{ "FILE", VALUE_TEXT },
};

static const struct table files_tables[] = { { "default", files_columns, 2 } };

struct listing {
	const struct dcmd_call *call;
	struct sink *out;
};

static bool goes_on(const struct listing *listing)
{
	return !listing->out->failed &&
	       !session_interrupted(listing->call->session);
}

/* Of a variable its first bytes, eight at most. */
static struct value value_of(struct target *target, const struct symbol *symbol)
{
	uint64_t value = 0;
	size_t size =
		symbol->size && symbol->size < 8 ? (size_t)symbol->size : 8;
	struct err *err = target_read(target, symbol->value, &value, size);

	if (!err)
		return ADDRESS(value);
	err_free(err);
	return ABSENT(VALUE_ADDRESS);
}

static bool each_global(void *context, const struct symbol *symbol,
			const struct symbol_record *record)
{
	struct listing *listing = context;
	bool object = symbol->type == STT_OBJECT || symbol->type == STT_FUNC ||
		      symbol->type == STT_NOTYPE;

	if (symbol->binding == STB_LOCAL || !object ||
	    record->section == SHN_UNDEF || !symbol->name)
		return true;
	SINK_ROW(listing->out, ADDRESS(symbol->value),
		 value_of(listing->call->session->target, symbol),
		 HEX(symbol->size), TEXT(symbol->module), TEXT(symbol->name));
	return goes_on(listing);
}

static bool each_file(void *context, const struct symbol *symbol,
		      const struct symbol_record *record)
{
	struct listing *listing = context;

	(void)record;
	if (symbol->type == STT_FILE && symbol->name && *symbol->name)
		SINK_ROW(listing->out, TEXT(symbol->module),
			 TEXT(symbol->name));
	return goes_on(listing);
}

static struct err *list(const struct dcmd_call *call, struct sink *out,
			bool (*each)(void *context, const struct symbol *symbol,
				     const struct symbol_record *record))
{
	struct listing listing = { call, out };
	const char *object = call->argc ? call->argv[0] : NULL;
	struct symbols *symbols;
	struct err *err = session_symbols(call->session, &symbols);

	if (!err && call->argc > 1)
		err = err_new(ERR_USAGE, "one object at most");
	if (!err && !symbols_each(symbols, object, false, each, &listing) &&
	    object)
		err = err_new(ERR_NOT_FOUND,
			      "no module is called %s; ::objects lists them",
			      object);
	return err;
}

static struct err *globals_run(const struct dcmd_call *call, struct sink *out)
{
	return list(call, out, each_global);
}

static struct err *files_run(const struct dcmd_call *call, struct sink *out)
{
	return list(call, out, each_file);
}

const struct dcmd dcmd_globals = {
	.name = "globals",
	.aliases = (const char *const[]){ "$e", NULL },
	.summary = "global functions and variables, and what they hold",
	.help = "Of all modules or of one. VALUE is the first bytes that lie "
		"there, eight at most. ::nm tells more of symbols.",
	.example = "::globals a.out",
	.arguments = "[object]",
	.tables = globals_tables,
	.table_count = 1,
	.run = globals_run,
};

const struct dcmd dcmd_files = {
	.name = "files",
	.aliases = (const char *const[]){ "$f", NULL },
	.summary = "the source files that the symbol tables name",
	.help = "Of all modules or of one. A module whose file is stripped, "
		"and has no separate debug file, names none.",
	.example = "::files a.out",
	.arguments = "[object]",
	.tables = files_tables,
	.table_count = 1,
	.run = files_run,
};
