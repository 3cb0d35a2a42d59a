/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ::nm - the symbols of the program and its libraries.
 *
 * What a line shows is chosen by -f, so the text is ours and not the sink's
 * columns; programs get all fields in any case.
 */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/nm_line.h"
#include "kdbg/vector.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nm_options {
	bool dynamic, own, decimal, global, no_header, by_name, octal, commands;
	bool undefined, by_value, hexadecimal;
	const char *format, *types;
};

#define FLAG(letter, field, text)                                              \
	{                                                                      \
		letter, NULL, OPTION_FLAG, offsetof(struct nm_options, field), \
			NULL, text                                             \
	}
static const struct option nm_options[] = {
	FLAG('D', dynamic, "the dynamic symbol table, not the full one"),
	FLAG('P', own, "those that ::nmadd added"),
	FLAG('d', decimal, "values and sizes in decimal"),
	{ 'f', NULL, OPTION_TEXT, offsetof(struct nm_options, format), "fields",
	  "what to show, with commas between: ndx, val, size, type, bind, oth, "
	  "shndx, name, ctype, obj" },
	FLAG('g', global, "only those that other modules see"),
	FLAG('h', no_header, "no heading"),
	FLAG('n', by_name, "in order of name"),
	FLAG('o', octal, "values and sizes in octal"),
	FLAG('p', commands, "as ::nmadd commands"),
	{ 't', NULL, OPTION_TEXT, offsetof(struct nm_options, types), "types",
	  "only these, with commas between: noty, objt, func, sect, file, "
	  "comm, "
	  "tls, ifun" },
	FLAG('u', undefined, "only those that are defined elsewhere"),
	FLAG('v', by_value, "in order of value"),
	FLAG('x', hexadecimal, "values and sizes in hexadecimal, as without"),
};
#undef FLAG

static const struct column nm_columns[] = {
	{ "VALUE", VALUE_ADDRESS }, { "SIZE", VALUE_HEX },
	{ "TYPE", VALUE_TEXT },     { "BIND", VALUE_TEXT },
	{ "OTH", VALUE_TEXT },      { "SHNDX", VALUE_TEXT },
	{ "NAME", VALUE_TEXT },     { "OBJECT", VALUE_TEXT },
	{ "NDX", VALUE_COUNT },     { "CTYPE", VALUE_TEXT },
};

static const struct table nm_tables[] = {
	{ "default", nm_columns, sizeof(nm_columns) / sizeof(nm_columns[0]),
	  .no_header = true },
};

struct nm {
	const struct nm_options *options;
	struct session *session;
	struct sink *out;
	struct nm_format format;
	struct nm_symbol *symbols; /* to be sorted */
	size_t count;
	bool headed, no_memory;
};

static bool is_wanted(const struct nm *nm, const struct nm_symbol *symbol)
{
	const struct nm_options *options = nm->options;
	const char *type = nm_type_name(symbol->symbol.type);

	if (options->global && symbol->symbol.binding == STB_LOCAL)
		return false;
	if (options->undefined && symbol->record.section != SHN_UNDEF)
		return false;
	if (options->types)
		return nm_is_listed(options->types, type);
	/* Nobody looks for these who does not say so. */
	return symbol->symbol.type != STT_SECTION &&
	       symbol->symbol.type != STT_FILE;
}

static void emit(struct nm *nm, const struct nm_symbol *symbol)
{
	const struct symbol *of = &symbol->symbol;
	char line[NM_LINE_SIZE], section[NM_WORD_SIZE], type[NM_LINE_SIZE];

	if (nm->options->commands) {
		nm_format_command(symbol, line, sizeof(line));
	} else {
		if (!nm->headed && !nm->options->no_header) {
			nm_format_heading(&nm->format, line, sizeof(line));
			sink_heading(nm->out, "%s", line);
		}
		nm_format_line(&nm->format, nm->session, symbol, line,
			       sizeof(line));
	}
	nm->headed = true;
	nm_section_name(symbol, section);
	SINK_ROW_AS(nm->out, line, ADDRESS(of->value), HEX(of->size),
		    TEXT(nm_type_name(of->type)),
		    TEXT(nm_binding_name(of->binding)),
		    TEXT(nm_visibility_name(symbol->record.other)),
		    TEXT(section), TEXT(of->name), TEXT(of->module),
		    COUNT(symbol->record.index),
		    TEXT(nm_c_type(nm->session, of, type, sizeof(type))));
}

static bool take(struct nm *nm, const struct nm_symbol *symbol)
{
	if (nm->out->failed || session_interrupted(nm->session))
		return false;
	if (!is_wanted(nm, symbol))
		return true;
	if (!nm->options->by_name && !nm->options->by_value) {
		emit(nm, symbol);
		return true;
	}
	struct nm_symbol *symbols =
		vector_grow(nm->symbols, nm->count, sizeof(*symbols));
	nm->no_memory = !symbols;
	if (!symbols)
		return false;
	nm->symbols = symbols;
	symbols[nm->count++] = *symbol;
	return true;
}

static bool take_record(void *context, const struct symbol *symbol,
			const struct symbol_record *record)
{
	const struct nm_symbol both = { *symbol, *record };

	return take(context, &both);
}

static int compare_names(const void *a, const void *b)
{
	const struct nm_symbol *x = a, *y = b;
	int order = strcmp(x->symbol.name, y->symbol.name);

	if (order)
		return order;
	return (x->symbol.value > y->symbol.value) -
	       (x->symbol.value < y->symbol.value);
}

static int compare_values(const void *a, const void *b)
{
	const struct nm_symbol *x = a, *y = b;

	if (x->symbol.value != y->symbol.value)
		return x->symbol.value < y->symbol.value ? -1 : 1;
	return compare_names(a, b);
}

static struct err *list(struct nm *nm, struct symbols *symbols,
			const char *object)
{
	size_t modules = symbols_each(symbols, object, nm->options->dynamic,
				      take_record, nm);

	if (object && !modules)
		return err_new(ERR_NOT_FOUND,
			       "no module is called %s; ::objects lists them",
			       object);
	return NULL;
}

static void list_own(struct nm *nm, const struct symbols *symbols)
{
	struct nm_symbol own = { .record = { .section = SHN_ABS } };

	for (size_t i = 0; symbols_own(symbols, i, &own.symbol); i++) {
		own.record.index = (uint32_t)i;
		if (!take(nm, &own))
			break;
	}
}

static struct err *emit_at(struct nm *nm, struct symbols *symbols,
			   uint64_t address)
{
	struct nm_symbol symbol = { .record = { .section = SHN_ABS } };

	if (!symbols_at(symbols, address, &symbol.symbol))
		return err_new(ERR_NOT_FOUND, "%#" PRIx64 ": no symbol there",
			       address);
	symbols_record(symbols, &symbol.symbol, &symbol.record);
	emit(nm, &symbol);
	return NULL;
}

static struct err *emit_sorted(struct nm *nm)
{
	if (nm->no_memory)
		return err_new(ERR_NO_MEMORY, "out of memory for %zu symbols",
			       nm->count);
	if (nm->count)
		qsort(nm->symbols, nm->count, sizeof(*nm->symbols),
		      nm->options->by_name ? compare_names : compare_values);
	for (size_t i = 0; i < nm->count && !nm->out->failed; i++)
		emit(nm, &nm->symbols[i]);
	return NULL;
}

static struct err *nm_run(const struct dcmd_call *call, struct sink *out)
{
	const struct nm_options *options = call->options;
	struct nm nm = { .options = options,
			 .session = call->session,
			 .out = out,
			 .headed = call->index > 0 };
	struct symbols *symbols;
	struct err *err = session_symbols(call->session, &symbols);

	if (!err && call->argc > 1)
		err = err_new(ERR_USAGE, "one object at most");
	if (!err)
		err = nm_format_choose(options->format, out->wide, &nm.format);
	if (err)
		return err;
	nm.format.radix = options->decimal ? 10 : options->octal ? 8 : 16;
	if (call->has_address)
		return emit_at(&nm, symbols, call->address);
	if (options->own)
		list_own(&nm, symbols);
	else
		err = list(&nm, symbols, call->argc ? call->argv[0] : NULL);
	if (!err)
		err = emit_sorted(&nm);
	free(nm.symbols);
	return err;
}

const struct dcmd dcmd_nm = {
	.name = "nm",
	.summary = "list the symbols of the program and its libraries",
	.help = "Symbols of one module, or of all, in the order of the "
		"module's "
		"full symbol table, which may lie in a separate debug file, or "
		"of its dynamic one where that is all there is. Sections and "
		"source files are shown if -t names them. With an address the "
		"symbol that holds it. OTH is the visibility, SHNDX the "
		"section's number, CTYPE (with -f) the C type of a variable. "
		"What a module lacks ::objects tells.",
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
