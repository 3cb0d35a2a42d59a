/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::enum - an enumeration's names and values. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/type_value.h"
#include "kdbg/type_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 512 };

struct enum_options {
	bool expressions, hexadecimal;
};

static const struct option enum_options[] = {
	{ 'e', "expressions", OPTION_FLAG,
	  offsetof(struct enum_options, expressions), NULL,
	  "as assignments to variables: 1>NAME" },
	{ 'x', "hex", OPTION_FLAG, offsetof(struct enum_options, hexadecimal),
	  NULL, "values in hexadecimal" },
};

static const struct column enum_columns[] = {
	{ "VALUE", VALUE_SIGNED, .piped = true },
	{ "NAME", VALUE_TEXT },
};

static const struct column hex_columns[] = {
	{ "VALUE", VALUE_HEX, .piped = true },
	{ "NAME", VALUE_TEXT },
};

static const struct table enum_tables[] = {
	{ "default", enum_columns, 2, false },
	{ "-x", hex_columns, 2, false },
	{ "-e", hex_columns, 2, .no_header = true },
};

static void emit(const struct dcmd_call *call, int64_t value, const char *name,
		 struct sink *out)
{
	const struct enum_options *options = call->options;
	char text[NAME_SIZE];

	if (options->expressions) {
		snprintf(text, sizeof(text), "0x%" PRIx64 ">%s",
			 (uint64_t)value, name ? name : "?");
		sink_table(out, &enum_tables[2]);
		SINK_ROW_AS(out, text, HEX((uint64_t)value), TEXT(name));
	} else if (options->hexadecimal) {
		sink_table(out, &enum_tables[1]);
		SINK_ROW(out, HEX((uint64_t)value), TEXT(name));
	} else {
		SINK_ROW(out, SIGNED(value), TEXT(name));
	}
}

/* A name, or a value that has one. */
static struct err *emit_asked(const struct dcmd_call *call, struct type *type,
			      const char *word, struct sink *out)
{
	const struct type_enumerator *list;
	size_t count = type_enumerators(type, &list);
	char name[NAME_SIZE];
	uint64_t value;

	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].name, word) == 0) {
			emit(call, list[i].value, word, out);
			return NULL;
		}
	struct err *err = session_evaluate(call->session, word, &value);
	if (err)
		return err_wrap(err, "neither an enumerator nor a value");
	bool known =
		type_value_enumerator(type, (int64_t)value, name, sizeof(name));
	emit(call, (int64_t)value, known ? name : NULL, out);
	return NULL;
}

/* "enum foo", or "foo" alone. */
static struct err *find_enum(const struct dcmd_call *call, struct type **ret,
			     int *used)
{
	struct types *types;
	const char *end;
	char text[NAME_SIZE];
	struct err *err =
		type_of_words(call->session, call->argc, call->argv, ret, used);

	if (!err && type_peel(*ret)->kind == TYPE_ENUM)
		return NULL;
	if (call->argc < 1)
		return err;
	err_free(err);
	err = session_types(call->session, &types);
	if (err)
		return err;
	*used = 1;
	snprintf(text, sizeof(text), "enum %s", call->argv[0]);
	return types_find(types, text, &end, ret);
}

static struct err *enum_run(const struct dcmd_call *call, struct sink *out)
{
	const struct type_enumerator *list;
	struct type *type;
	int used;
	struct err *err = find_enum(call, &type, &used);

	if (err)
		return err;
	type = type_peel(type);
	if (call->argc > used + 1)
		return err_new(ERR_USAGE, "one type, and one name or value");
	if (call->argc > used)
		return emit_asked(call, type, call->argv[used], out);
	size_t count = type_enumerators(type, &list);
	for (size_t i = 0; i < count && !out->failed; i++)
		emit(call, list[i].value, list[i].name, out);
	return NULL;
}

const struct dcmd dcmd_enum = {
	.name = "enum",
	.summary = "the names and values of an enumeration",
	.help = "Lists all enumerators, or tells one's value by its name, or "
		"the names of a value. A value that is no enumerator's but "
		"made of several with one bit each is told as A|B.",
	.example = "::enum -x enum kma_tier",
	.arguments = "[enum] type [name | value]",
	.address_use = ADDRESS_NONE,
	.options = enum_options,
	.option_count = sizeof(enum_options) / sizeof(enum_options[0]),
	.options_size = sizeof(struct enum_options),
	.tables = enum_tables,
	.table_count = 3,
	.run = enum_run,
};
