/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::head - the first values of a pipe. */
#include "kdbg/dcmds/dcmds.h"

enum { HEAD_DEFAULT = 10 };

struct head_options {
	uint64_t count;
};

static const struct option head_options[] = {
	{ 'n', NULL, OPTION_NUMBER, offsetof(struct head_options, count),
	  "count", "how many (16 is 0t16; default 0t10)" },
};

static const struct column head_columns[] = { { "ADDR", VALUE_ADDRESS } };

static const struct table head_tables[] = {
	{ "default", head_columns, 1, .no_header = true },
};

static struct err *head_run(const struct dcmd_call *call, struct sink *out)
{
	const struct head_options *options = call->options;
	uint64_t count = options->count ? options->count : HEAD_DEFAULT;

	if (call->argc > 1)
		return err_new(ERR_USAGE, "one count");
	if (call->argc == 1) {
		struct err *err =
			session_evaluate(call->session, call->argv[0], &count);
		if (err)
			return err_wrap(err, "count");
	}
	if (call->index < count)
		SINK_ROW(out, ADDRESS(call->address));
	*call->enough = call->index + 1 >= count;
	return NULL;
}

const struct dcmd dcmd_head = {
	.name = "head",
	.summary = "let through the first values of a pipe",
	.help = "What comes before in the pipeline stops when there are "
		"enough.",
	.example = "::walk kmem | ::head -n 3",
	.arguments = "[count]",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "value",
	.options = head_options,
	.option_count = 1,
	.options_size = sizeof(struct head_options),
	.tables = head_tables,
	.table_count = 1,
	.run = head_run,
};
