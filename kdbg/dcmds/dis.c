/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::dis - code as instructions. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/disassemble.h"
#include "kdbg/symbols.h"
#include "kdbg/vector.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_DEFAULT = 10, WINDOW_MAX = 1 << 16, NAME_SIZE = 512 };

struct dis_options {
	bool addresses, no_names, from_file, window;
	uint64_t count;
};

static const struct option dis_options[] = {
	{ 'a', NULL, OPTION_FLAG, offsetof(struct dis_options, addresses), NULL,
	  "addresses as numbers and not as symbols" },
	{ 'b', NULL, OPTION_FLAG, offsetof(struct dis_options, no_names), NULL,
	  "targets of branches as numbers alone" },
	{ 'f', NULL, OPTION_FLAG, offsetof(struct dis_options, from_file), NULL,
	  "the code of the module's file, not of memory" },
	{ 'w', NULL, OPTION_FLAG, offsetof(struct dis_options, window), NULL,
	  "some instructions around the address, not its function" },
	{ 'n', NULL, OPTION_NUMBER, offsetof(struct dis_options, count),
	  "count",
	  "so many instructions before and after; 0xa where -w alone is "
	  "given" },
};

static const struct column dis_columns[] = {
	{ "ADDR", VALUE_ADDRESS },   { "WHERE", VALUE_TEXT },
	{ "BYTES", VALUE_TEXT },     { "INSTRUCTION", VALUE_TEXT },
	{ "TARGET", VALUE_ADDRESS },
};

static const struct table dis_tables[] = {
	{ "default", dis_columns, sizeof(dis_columns) / sizeof(dis_columns[0]),
	  .no_header = true },
};

struct dis {
	const struct dis_options *options;
	struct session *session;
	struct symbols *symbols;
	struct sink *out;
};

static void emit(const struct dis *d, const struct instruction *instruction)
{
	char where[NAME_SIZE], text[1024], line[2048];
	char bytes[2 * INSTRUCTION_BYTES_MAX + 1] = "";

	for (unsigned i = 0; i < instruction->size; i++)
		snprintf(bytes + 2 * i, 3, "%02x", instruction->bytes[i]);
	if (d->options->addresses)
		snprintf(where, sizeof(where), "%" PRIx64,
			 instruction->address);
	else
		symbols_format(d->symbols, instruction->address, where,
			       sizeof(where));
	if (d->options->no_names)
		snprintf(text, sizeof(text), "%s", instruction->text);
	else
		instruction_format(d->session, instruction, text, sizeof(text));
	int used = snprintf(line, sizeof(line), "%s:", where);
	snprintf(line + used, sizeof(line) - (size_t)used, "%*s%s",
		 used < 31 ? 32 - used : 1, "", text);
	SINK_ROW_AS(d->out, line, ADDRESS(instruction->address), TEXT(where),
		    TEXT(bytes), TEXT(text),
		    instruction->has_target ? ADDRESS(instruction->target)
					    : ABSENT(VALUE_ADDRESS));
}

static bool stopped(const struct dis *d)
{
	return d->out->failed || session_interrupted(d->session);
}

/* Instructions from here until the address upto, or count of them. */
static struct err *emit_range(const struct dis *d, uint64_t at, uint64_t upto,
			      uint64_t count)
{
	struct instruction instruction;
	struct err *err = NULL;

	for (; !err && at < upto && count && !stopped(d); count--) {
		err = instruction_at(d->session, at, d->options->from_file,
				     &instruction);
		if (!err)
			emit(d, &instruction);
		at += instruction.size;
	}
	return err;
}

/* The starts of the instructions that lead from start to address exactly;
 * false: they do not meet it, and start is no instruction's. */
static bool leads_to(const struct dis *d, uint64_t start, uint64_t address,
		     uint64_t **starts, size_t *count)
{
	struct instruction instruction;

	*count = 0;
	while (start < address && !stopped(d)) {
		uint64_t *grown = vector_grow(*starts, *count, sizeof(*grown));
		struct err *err =
			grown ? instruction_at(d->session, start,
					       d->options->from_file,
					       &instruction)
			      : err_new(ERR_NO_MEMORY, "out of memory");

		if (grown)
			*starts = grown;
		if (err) {
			err_free(err);
			return false;
		}
		grown[(*count)++] = start;
		start += instruction.size;
	}
	return start == address;
}

/*
 * Where the instruction lies that comes count before address. In a function its
 * beginning tells; elsewhere a beginning is guessed: code read from a wrong
 * place falls in step with the right one within a few instructions.
 */
static uint64_t go_back(const struct dis *d, uint64_t address, uint64_t count)
{
	uint64_t far = count * INSTRUCTION_BYTES_MAX;
	uint64_t start = address > far ? address - far : 0;
	uint64_t *starts = NULL;
	uint64_t found = address;
	struct symbol symbol;
	size_t known = 0;
	bool met;

	if (symbols_at(d->symbols, address, &symbol) && symbol.size &&
	    symbol.value + far > address)
		start = symbol.value;
	met = leads_to(d, start, address, &starts, &known);
	for (unsigned i = 1; !met && i < INSTRUCTION_BYTES_MAX; i++)
		met = leads_to(d, start + i, address, &starts, &known);
	if (met && known)
		found = starts[known > count ? known - count : 0];
	free(starts);
	return found;
}

static struct err *find_address(const struct dcmd_call *call, uint64_t *ret)
{
	*ret = call->has_address ? call->address : call->session->dot;
	if (call->argc > 1 || (call->argc && call->has_address))
		return err_new(ERR_USAGE, "one address");
	if (!call->argc)
		return NULL;
	return session_evaluate_symbol(call->session, call->argv[0], ret);
}

static struct err *dis_run(const struct dcmd_call *call, struct sink *out)
{
	const struct dis_options *options = call->options;
	struct dis d = { options, call->session, NULL, out };
	uint64_t count = options->count ? options->count : WINDOW_DEFAULT;
	uint64_t address;
	struct symbol symbol;
	struct err *err = find_address(call, &address);

	if (!err && count > WINDOW_MAX)
		err = err_new(ERR_USAGE, "at most %#x instructions",
			      WINDOW_MAX);
	if (!err)
		err = session_symbols(call->session, &d.symbols);
	if (err)
		return err;
	if (!options->window && !options->count &&
	    symbols_at(d.symbols, address, &symbol) && symbol.size &&
	    symbol.type != STT_OBJECT)
		return emit_range(&d, symbol.value, symbol.value + symbol.size,
				  UINT64_MAX);
	err = emit_range(&d, go_back(&d, address, count), address, UINT64_MAX);
	return err ? err : emit_range(&d, address, UINT64_MAX, count + 1);
}

const struct dcmd dcmd_dis = {
	.name = "dis",
	.summary = "disassemble a function, or what is around an address",
	.help = "The function that holds the address, else some instructions "
		"before and after it. Behind a branch, or an operand relative "
		"to the program counter, stands the symbol it refers to. "
		"::set syntax=intel chooses Intel's syntax, syntax=att the "
		"other. Code that a dump leaves out is read from the module's "
		"file.",
	.example = "<rip::dis -n 3",
	.arguments = "[address]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "address",
	.options = dis_options,
	.option_count = sizeof(dis_options) / sizeof(dis_options[0]),
	.options_size = sizeof(struct dis_options),
	.tables = dis_tables,
	.table_count = 1,
	.run = dis_run,
};
