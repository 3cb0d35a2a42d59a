/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::sort ::uniq ::top ::tail - a pipe's values, all at once. */
#include "kdbg/dcmds/dcmds.h"

#include <stdlib.h>
#include <string.h>

enum { TOP_DEFAULT = 10 };

static const struct column value_columns[] = { { "ADDR", VALUE_ADDRESS } };
static const struct column counted_columns[] = {
	{ "COUNT", VALUE_COUNT },
	{ "ADDR", VALUE_ADDRESS },
};

enum { TABLE_VALUES, TABLE_COUNTED };
static const struct table tables[] = {
	[TABLE_VALUES] = { "default", value_columns, 1, .no_header = true },
	[TABLE_COUNTED] = { "counted", counted_columns, 2 },
};

struct keyed {
	uint64_t key, value, count;
	size_t order; /* in the pipe: equals stay as they came */
};

static int compare_keys(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	if (x->key != y->key)
		return x->key > y->key ? 1 : -1;
	return (x->order > y->order) - (x->order < y->order);
}

static int compare_keys_downward(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? 1 : -1;
	return (x->order > y->order) - (x->order < y->order);
}

static int compare_counts_downward(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return (x->order > y->order) - (x->order < y->order);
}

/* The pipe's values, each with its key: itself, or what the expression makes
 * of it. */
static struct err *make_keys(const struct dcmd_call *call, struct keyed **ret)
{
	struct keyed *items = calloc(call->list_count, sizeof(*items));
	struct err *err = NULL;

	if (!items)
		return err_new(ERR_NO_MEMORY, "out of memory for %zu values",
			       call->list_count);
	if (call->argc > 1)
		err = err_new(ERR_USAGE, "one expression: quote it where it "
					 "has blanks");
	for (size_t i = 0; !err && i < call->list_count; i++) {
		if (session_interrupted(call->session))
			break;
		items[i] = (struct keyed){ call->list[i], call->list[i], 1, i };
		if (call->argc)
			err = session_map(call->session, call->argv[0],
					  items[i].value, &items[i].key);
	}
	if (err) {
		free(items);
		return err;
	}
	*ret = items;
	return NULL;
}

/* Neighbours of one key become one, counted; how many are left. */
static size_t join_equal(struct keyed *items, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (kept && items[kept - 1].key == items[i].key)
			items[kept - 1].count += items[i].count;
		else
			items[kept++] = items[i];
	return kept;
}

static void emit(const struct keyed *items, size_t count, bool counted,
		 struct sink *out)
{
	if (counted)
		sink_table(out, &tables[TABLE_COUNTED]);
	for (size_t i = 0; i < count && !out->failed; i++)
		if (counted)
			SINK_ROW(out, COUNT(items[i].count),
				 ADDRESS(items[i].value));
		else
			SINK_ROW(out, ADDRESS(items[i].value));
}

/* --- sort ---------------------------------------------------------------- */

struct sort_options {
	bool reverse, unique;
};

static const struct option sort_options[] = {
	{ 'r', NULL, OPTION_FLAG, offsetof(struct sort_options, reverse), NULL,
	  "the largest first" },
	{ 'u', NULL, OPTION_FLAG, offsetof(struct sort_options, unique), NULL,
	  "of several with one key only the first" },
};

static struct err *sort_run(const struct dcmd_call *call, struct sink *out)
{
	const struct sort_options *options = call->options;
	size_t count = call->list_count;
	struct keyed *items;
	struct err *err = make_keys(call, &items);

	if (err)
		return err;
	qsort(items, count, sizeof(*items),
	      options->reverse ? compare_keys_downward : compare_keys);
	if (options->unique)
		count = join_equal(items, count);
	emit(items, count, false, out);
	free(items);
	return NULL;
}

const struct dcmd dcmd_sort = {
	.name = "sort",
	.summary = "put the values of a pipe in order",
	.help = "By the value itself, unsigned, or by what an expression makes "
		"of it (dot is the value). Equal ones stay in the order in "
		"which they came.",
	.example = "::walk kmem_cache | ::sort -r '*.'",
	.arguments = "[expression]",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "value",
	.options = sort_options,
	.option_count = 2,
	.options_size = sizeof(struct sort_options),
	.tables = tables,
	.table_count = 1,
	.takes_list = true,
	.run = sort_run,
};

/* --- uniq ---------------------------------------------------------------- */

struct uniq_options {
	bool count;
};

static const struct option uniq_options[] = {
	{ 'c', NULL, OPTION_FLAG, offsetof(struct uniq_options, count), NULL,
	  "how often each came in a row" },
};

static struct err *uniq_run(const struct dcmd_call *call, struct sink *out)
{
	const struct uniq_options *options = call->options;
	struct keyed *items;
	struct err *err = make_keys(call, &items);

	if (err)
		return err;
	emit(items, join_equal(items, call->list_count), options->count, out);
	free(items);
	return NULL;
}

const struct dcmd dcmd_uniq = {
	.name = "uniq",
	.summary = "of equal values in a row let one through",
	.help = "Values are equal if they are the same number, or if an "
		"expression makes the same of them. ::sort before it brings "
		"equal ones together.",
	.example = "::walk kmem_cache | ::map .&0xfff | ::sort | ::uniq -c",
	.arguments = "[expression]",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "value",
	.options = uniq_options,
	.option_count = 1,
	.options_size = sizeof(struct uniq_options),
	.tables = tables,
	.table_count = 2,
	.takes_list = true,
	.run = uniq_run,
};

/* --- top ----------------------------------------------------------------- */

struct first_options {
	uint64_t count;
};

static const struct option first_options[] = {
	{ 'n', NULL, OPTION_NUMBER, offsetof(struct first_options, count),
	  "count", "how many; 0xa if not told" },
};

static size_t at_most(const struct first_options *options, size_t count)
{
	uint64_t most = options->count ? options->count : TOP_DEFAULT;

	return count < most ? count : (size_t)most;
}

static struct err *top_run(const struct dcmd_call *call, struct sink *out)
{
	size_t count = call->list_count;
	struct keyed *items;
	struct err *err = make_keys(call, &items);

	if (err)
		return err;
	qsort(items, count, sizeof(*items), compare_keys);
	count = join_equal(items, count);
	for (size_t i = 0; i < count; i++)
		items[i].value = items[i].key;
	qsort(items, count, sizeof(*items), compare_counts_downward);
	emit(items, at_most(call->options, count), true, out);
	free(items);
	return NULL;
}

const struct dcmd dcmd_top = {
	.name = "top",
	.summary = "the most frequent values of a pipe",
	.help = "Counts how often each value comes, or each that an expression "
		"makes of them, and shows those that come most often.",
	.example = "::walk kmem | ::top -n 3 '*.'",
	.arguments = "[expression]",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "value",
	.options = first_options,
	.option_count = 1,
	.options_size = sizeof(struct first_options),
	.tables = &tables[TABLE_COUNTED],
	.table_count = 1,
	.takes_list = true,
	.run = top_run,
};

/* --- tail ---------------------------------------------------------------- */

static struct err *tail_run(const struct dcmd_call *call, struct sink *out)
{
	size_t count = at_most(call->options, call->list_count);

	if (call->argc)
		return err_new(ERR_USAGE, "-n tells how many");
	for (size_t i = call->list_count - count;
	     i < call->list_count && !out->failed; i++)
		SINK_ROW(out, ADDRESS(call->list[i]));
	return NULL;
}

const struct dcmd dcmd_tail = {
	.name = "tail",
	.summary = "let through the last values of a pipe",
	.help = "What comes before in the pipeline runs to its end. ::head "
		"lets the first through.",
	.example = "::walk kmem | ::tail -n 3",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "value",
	.options = first_options,
	.option_count = 1,
	.options_size = sizeof(struct first_options),
	.tables = tables,
	.table_count = 1,
	.takes_list = true,
	.run = tail_run,
};
