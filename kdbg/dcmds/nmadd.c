/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::nmadd and ::nmdel - names of one's own for addresses. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/symbols.h"

#include <elf.h>
#include <inttypes.h>

struct nmadd_options {
	bool function, object;
	uint64_t end, size;
};

static const struct option nmadd_options[] = {
	{ 'e', NULL, OPTION_NUMBER, offsetof(struct nmadd_options, end), "end",
	  "where it ends: the address behind it" },
	{ 'f', NULL, OPTION_FLAG, offsetof(struct nmadd_options, function),
	  NULL, "it is a function" },
	{ 'o', NULL, OPTION_FLAG, offsetof(struct nmadd_options, object), NULL,
	  "it is an object" },
	{ 's', NULL, OPTION_NUMBER, offsetof(struct nmadd_options, size),
	  "bytes", "how many bytes it names; otherwise the address alone" },
};

static const struct column own_columns[] = {
	{ "VALUE", VALUE_ADDRESS },
	{ "SIZE", VALUE_HEX },
	{ "NAME", VALUE_TEXT },
};

static const struct table own_tables[] = { { "default", own_columns, 3 } };

static void put_own(const struct symbols *symbols, struct sink *out)
{
	struct symbol symbol;

	for (size_t i = 0; symbols_own(symbols, i, &symbol); i++)
		SINK_ROW(out, ADDRESS(symbol.value), HEX(symbol.size),
			 TEXT(symbol.name));
}

static struct err *nmadd_run(const struct dcmd_call *call, struct sink *out)
{
	const struct nmadd_options *options = call->options;
	uint64_t size = options->size;
	struct symbols *symbols;
	struct err *err = session_symbols(call->session, &symbols);

	if (err)
		return err;
	if (!call->argc && !call->has_address) {
		put_own(symbols, out);
		return NULL;
	}
	if (call->argc != 1 || !call->has_address)
		return err_new(ERR_USAGE, "one address and one name");
	if (options->end && options->end <= call->address)
		return err_new(ERR_USAGE, "the end lies behind the address");
	if (options->end)
		size = options->end - call->address;
	return symbols_define(symbols, call->argv[0], call->address, size,
			      options->function ? STT_FUNC
			      : options->object ? STT_OBJECT
						: STT_NOTYPE);
}

static struct err *nmdel_run(const struct dcmd_call *call, struct sink *out)
{
	struct symbols *symbols;
	struct err *err = session_symbols(call->session, &symbols);

	(void)out;
	if (err)
		return err;
	if (call->argc != 1)
		return err_new(ERR_USAGE, "which symbol? ::nmadd lists them");
	if (!symbols_undefine(symbols, call->argv[0]))
		return err_new(ERR_NOT_FOUND, "no symbol %s was added",
			       call->argv[0]);
	return NULL;
}

const struct dcmd dcmd_nmadd = {
	.name = "nmadd",
	.summary = "give an address a name of your own",
	.help = "The name stands for the address in expressions, and for what "
		"lies there wherever addresses are shown, ahead of the "
		"module's own symbols. Without address and name those that "
		"were added are listed. In a living process they last until "
		"it runs on.",
	.example = "<rsp::nmadd -s 100 frame; frame+8::whatis; ::nmadd",
	.arguments = "[name]",
	.address_use = ADDRESS_OPTIONAL,
	.options = nmadd_options,
	.option_count = sizeof(nmadd_options) / sizeof(nmadd_options[0]),
	.options_size = sizeof(struct nmadd_options),
	.tables = own_tables,
	.table_count = 1,
	.run = nmadd_run,
};

const struct dcmd dcmd_nmdel = {
	.name = "nmdel",
	.summary = "forget a name that ::nmadd gave",
	.help = "The module's own symbols stay as they are.",
	.example = "<rsp::nmadd frame; ::nmdel frame",
	.arguments = "name",
	.address_use = ADDRESS_NONE,
	.tables = own_tables,
	.table_count = 1,
	.run = nmdel_run,
};
