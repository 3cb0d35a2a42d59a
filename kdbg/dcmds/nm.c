/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::nm - the symbols of the program and its libraries. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/symbols.h"
#include "kdbg/vector.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct nm_options {
	bool global, by_name;
	const char *types;
};

static const struct option nm_options[] = {
	{ 'g', NULL, OPTION_FLAG, offsetof(struct nm_options, global), NULL,
	  "only those that other modules see" },
	{ 'n', NULL, OPTION_FLAG, offsetof(struct nm_options, by_name), NULL,
	  "in order of name, not of address" },
	{ 't', NULL, OPTION_TEXT, offsetof(struct nm_options, types), "types",
	  "only these: func, objt, noty, with commas between them" },
};

static const struct column nm_columns[] = {
	{ "VALUE", VALUE_ADDRESS },
	{ "SIZE", VALUE_HEX, .width = 8 },
	{ "TYPE", VALUE_TEXT, .width = 4 },
	{ "BIND", VALUE_TEXT, .width = 4 },
	{ "NAME", VALUE_TEXT, .width = 40 },
	{ "OBJECT", VALUE_TEXT, .wide = true },
};

static const struct table nm_tables[] = {
	{ "default", nm_columns, sizeof(nm_columns) / sizeof(nm_columns[0]) },
};

struct nm {
	const struct nm_options *options;
	struct session *session;
	struct sink *out;
	struct symbol *symbols; /* to be sorted */
	size_t count;
	bool no_memory;
};

static const char *type_name(unsigned char type)
{
	if (type == STT_FUNC || type == STT_GNU_IFUNC)
		return "FUNC";
	return type == STT_NOTYPE ? "NOTY" : "OBJT";
}

static const char *binding_name(unsigned char binding)
{
	if (binding == STB_LOCAL)
		return "LOCL";
	return binding == STB_WEAK ? "WEAK" : "GLOB";
}

/* Is name one of the words of list, in any case? */
static bool is_listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (strncasecmp(list, name, length) == 0 &&
		    strchr(",", list[length]))
			return true;
	}
	return false;
}

static bool is_wanted(const struct nm *nm, const struct symbol *symbol)
{
	const char *types = nm->options->types;

	if (nm->options->global && symbol->binding == STB_LOCAL)
		return false;
	return !types || is_listed(types, type_name(symbol->type));
}

static void emit(struct nm *nm, const struct symbol *symbol)
{
	SINK_ROW(nm->out, ADDRESS(symbol->value), HEX(symbol->size),
		 TEXT(type_name(symbol->type)),
		 TEXT(binding_name(symbol->binding)), TEXT(symbol->name),
		 TEXT(symbol->module));
}

static bool take(void *context, const struct symbol *symbol)
{
	struct nm *nm = context;
	struct symbol *symbols;

	if (nm->out->failed || session_interrupted(nm->session))
		return false;
	if (!is_wanted(nm, symbol))
		return true;
	if (!nm->options->by_name) {
		emit(nm, symbol);
		return true;
	}
	symbols = vector_grow(nm->symbols, nm->count, sizeof(*symbols));
	nm->no_memory = !symbols;
	if (!symbols)
		return false;
	nm->symbols = symbols;
	symbols[nm->count++] = *symbol;
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->value > y->value) - (x->value < y->value);
}

static struct err *list(struct nm *nm, struct symbols *symbols,
			const char *object)
{
	size_t modules = symbols_each(symbols, object, take, nm);

	if (object && !modules)
		return err_new(ERR_NOT_FOUND, "no module is called %s", object);
	if (nm->no_memory)
		return err_new(ERR_NO_MEMORY, "out of memory for %zu symbols",
			       nm->count);
	if (nm->count)
		qsort(nm->symbols, nm->count, sizeof(*nm->symbols),
		      compare_names);
	for (size_t i = 0; i < nm->count && !nm->out->failed; i++)
		emit(nm, &nm->symbols[i]);
	return NULL;
}

static struct err *nm_run(const struct dcmd_call *call, struct sink *out)
{
	struct nm nm = { call->options, call->session, out, NULL, 0, false };
	struct symbols *symbols;
	struct symbol symbol;
	struct err *err = session_symbols(call->session, &symbols);

	if (err)
		return err;
	if (call->argc > 1)
		return err_new(ERR_USAGE, "one object at most");
	if (!call->has_address) {
		err = list(&nm, symbols, call->argc ? call->argv[0] : NULL);
		free(nm.symbols);
		return err;
	}
	if (!symbols_at(symbols, call->address, &symbol))
		return err_new(ERR_NOT_FOUND, "%#" PRIx64 ": no symbol there",
			       call->address);
	emit(&nm, &symbol);
	return NULL;
}

const struct dcmd dcmd_nm = {
	.name = "nm",
	.summary = "list the symbols of the program and its libraries",
	.help = "Symbols of one module, or of all, in order of address, from "
		"the dynamic symbol table, the full one and separate debug "
		"files. With an address the symbol that holds it. What a "
		"module lacks ::objects tells.",
	.example = "::nm -n -t objt a.out",
	.arguments = "[object]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "address",
	.options = nm_options,
	.option_count = sizeof(nm_options) / sizeof(nm_options[0]),
	.options_size = sizeof(struct nm_options),
	.tables = nm_tables,
	.table_count = 1,
	.run = nm_run,
};
