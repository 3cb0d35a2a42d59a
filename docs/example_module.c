/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An example of a module: words that look like pointers, and a list walked.
 *
 *	cc -shared -fPIC -I /usr/include/kdbg example_module.c -o example.so
 *
 *	> ::load ./example.so
 *	> <rsp::pointers 8
 *	> *head::walk chain | ::whatis
 */
#include "kdbg_module.h"

#include <stdlib.h>

enum { WORDS_DEFAULT = 16, CHAIN_MAX = 1 << 20 };

static const struct kdbg_column pointers_columns[] = {
	{ "ADDR", KDBG_ADDRESS },
	{ "VALUE", KDBG_ADDRESS },
	{ "SYMBOL", KDBG_TEXT },
};

static int pointers_run(struct kdbg *kdbg, const struct kdbg_call *call)
{
	const struct kdbg_api *api = kdbg->api;
	uint64_t count = WORDS_DEFAULT;

	if (call->argc > 1)
		return api->fail(kdbg, "how many words? one number");
	if (call->argc && api->evaluate(kdbg, call->argv[0], &count) != 0)
		return -1;
	for (uint64_t i = 0; i < count && !api->stopped(kdbg); i++) {
		uint64_t at = call->address + i * 8, value;
		char byte, name[128];

		if (api->read(kdbg, at, &value, sizeof(value)) != 0)
			return -1;
		if (!api->read_some(kdbg, value, &byte, 1))
			continue; /* points nowhere */
		api->format_address(kdbg, value, name, sizeof(name));
		const struct kdbg_value row[] = { { .number = at },
						  { .number = value },
						  { .text = name } };
		api->row(kdbg, row);
	}
	return 0;
}

/* Objects whose first word is the address of the next. */
static int chain_walk(struct kdbg *kdbg, const uint64_t *address,
		      kdbg_each *each, void *context)
{
	uint64_t at = *address;

	for (long i = 0; at && i < CHAIN_MAX; i++) { /* it may be a circle */
		if (!each(context, at) || kdbg->api->stopped(kdbg))
			return 0;
		if (kdbg->api->read(kdbg, at, &at, sizeof(at)) != 0)
			return -1;
	}
	return 0;
}

static const struct kdbg_command commands[] = {
	{
		.name = "pointers",
		.summary = "words that point to something",
		.help = "Of the words from the address on, those whose value "
			"is an address in the target.",
		.example = "<rsp::pointers 8",
		.arguments = "[count]",
		.address = KDBG_NEEDS_ADDRESS,
		.columns = pointers_columns,
		.column_count = 3,
		.run = pointers_run,
	},
};

static const struct kdbg_walker walkers[] = {
	{
		.name = "chain",
		.summary = "objects whose first word leads to the next",
		.address = KDBG_NEEDS_ADDRESS,
		.walk = chain_walk,
	},
};

const struct kdbg_module kdbg_module = {
	.version = KDBG_MODULE_VERSION,
	.name = "example",
	.commands = commands,
	.command_count = 1,
	.walkers = walkers,
	.walker_count = 1,
};
