/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::count ::sum ::tee - what a pipe's values come to. */
#include "kdbg/dcmds/dcmds.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct column count_columns[] = {
	{ "COUNT", VALUE_COUNT, .piped = true },
};
static const struct column sum_columns[] = {
	{ "SUM", VALUE_COUNT, .width = 20, .piped = true },
	{ "HEX", VALUE_HEX, .width = 16 },
};
static const struct column value_columns[] = { { "ADDR", VALUE_ADDRESS } };

static const struct table count_tables[] = {
	{ "default", count_columns, 1, .no_header = true },
};
static const struct table sum_tables[] = { { "default", sum_columns, 2 } };
static const struct table tee_tables[] = {
	{ "default", value_columns, 1, .no_header = true },
};

static struct err *count_run(const struct dcmd_call *call, struct sink *out)
{
	if (call->argc)
		return err_new(ERR_USAGE, "%s: not understood", call->argv[0]);
	SINK_ROW(out, COUNT(call->list_count));
	return NULL;
}

const struct dcmd dcmd_count = {
	.name = "count",
	.summary = "how many values a pipe has",
	.help = "In decimal; what follows in the pipeline gets the number.",
	.example = "::walk kmem | ::count",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "value",
	.tables = count_tables,
	.table_count = 1,
	.takes_list = true,
	.takes_empty = true,
	.run = count_run,
};

static struct err *sum_run(const struct dcmd_call *call, struct sink *out)
{
	struct err *err = NULL;
	uint64_t sum = 0;

	if (call->argc > 1)
		return err_new(ERR_USAGE, "one expression: quote it where it "
					  "has blanks");
	for (size_t i = 0; !err && i < call->list_count; i++) {
		uint64_t value = call->list[i];

		if (session_interrupted(call->session))
			return NULL;
		if (call->argc)
			err = session_map(call->session, call->argv[0], value,
					  &value);
		sum += value;
	}
	if (!err)
		SINK_ROW(out, COUNT(sum), HEX(sum));
	return err;
}

const struct dcmd dcmd_sum = {
	.name = "sum",
	.summary = "add up the values of a pipe",
	.help = "The values themselves, or what an expression makes of each "
		"(dot is the value), modulo 2 to the 64.",
	.example = "::walk kmem_cache | ::sum '*/4/.'",
	.arguments = "[expression]",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "value",
	.tables = sum_tables,
	.table_count = 1,
	.takes_list = true,
	.takes_empty = true,
	.run = sum_run,
};

static struct err *tee_run(const struct dcmd_call *call, struct sink *out)
{
	if (call->argc != 1)
		return err_new(ERR_USAGE, "the name of one file");
	FILE *file = fopen(call->argv[0], "we");
	if (!file)
		return err_new(ERR_IO, "%s: %s", call->argv[0],
			       strerror(errno));
	for (size_t i = 0; i < call->list_count; i++)
		fprintf(file, "0x%" PRIx64 "\n", call->list[i]);
	bool failed = ferror(file);
	if (fclose(file) != 0 || failed)
		return err_new(ERR_IO, "%s: %s", call->argv[0],
			       strerror(errno));
	for (size_t i = 0; i < call->list_count && !out->failed; i++)
		SINK_ROW(out, ADDRESS(call->list[i]));
	return NULL;
}

const struct dcmd dcmd_tee = {
	.name = "tee",
	.summary = "keep the values of a pipe in a file, and pass them on",
	.help = "One number a line, which ::cat reads back. The file is "
		"replaced.",
	.example = "::walk kmem_cache | ::tee /dev/null | ::head 1",
	.arguments = "file",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "value",
	.tables = tee_tables,
	.table_count = 1,
	.takes_list = true,
	.takes_empty = true,
	.run = tee_run,
};
