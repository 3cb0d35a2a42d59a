/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ::print - memory as its type says.
 *
 * One row for each member, whose text is its line; the braces that close are
 * lines of their own. A member that cannot be read says so in the place of its
 * value, and the others follow. Types may come from anyone, so depth and rows
 * have limits.
 */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/type_value.h"
#include "kdbg/type_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEPTH_MAX = 32,
	ROWS_MAX = 1 << 20,
	INDENT = 4,
	ELEMENTS_DEFAULT = 1024,   /* of an array */
	CHARACTERS_DEFAULT = 1024, /* of a string */
	TYPE_TEXT_SIZE = 512,
	NAME_SIZE = 256,
	PATH_SIZE = 1024,
	ERROR_SIZE = 256,
};

struct print_options {
	bool addresses, types, base_types, holes, decimal, no_symbols;
	bool immediate, all_characters, all_elements;
	uint64_t depth, characters, elements;
	bool has_depth;
	const char *depth_text;
};

static const struct option print_options[] = {
	{ 'a', "address", OPTION_FLAG,
	  offsetof(struct print_options, addresses), NULL,
	  "each line begins with its address" },
	{ 'C', NULL, OPTION_FLAG,
	  offsetof(struct print_options, all_characters), NULL,
	  "strings without limit" },
	{ 'c', "characters", OPTION_NUMBER,
	  offsetof(struct print_options, characters), "n",
	  "at most n characters of a string (0x400 otherwise)" },
	{ 'd', "decimal", OPTION_FLAG, offsetof(struct print_options, decimal),
	  NULL, "integers in decimal, with their sign" },
	{ 'h', "holes", OPTION_FLAG, offsetof(struct print_options, holes),
	  NULL, "show the holes between members" },
	{ 'i', "immediate", OPTION_FLAG,
	  offsetof(struct print_options, immediate), NULL,
	  "the address is the value itself, not where it lies" },
	{ 'L', NULL, OPTION_FLAG, offsetof(struct print_options, all_elements),
	  NULL, "arrays without limit" },
	{ 'l', "elements", OPTION_NUMBER,
	  offsetof(struct print_options, elements), "n",
	  "at most n elements of an array (0x400 otherwise)" },
	{ 'n', "no-symbols", OPTION_FLAG,
	  offsetof(struct print_options, no_symbols), NULL,
	  "pointers as numbers, not as symbols" },
	{ 's', "depth", OPTION_TEXT, offsetof(struct print_options, depth_text),
	  "n", "open structures down to depth n; 0 opens none" },
	{ 'T', "base-types", OPTION_FLAG,
	  offsetof(struct print_options, base_types), NULL,
	  "types, and what typedefs stand for" },
	{ 't', "types", OPTION_FLAG, offsetof(struct print_options, types),
	  NULL, "the type of each member" },
};

static const struct column print_columns[] = {
	{ "path", VALUE_TEXT },        { "name", VALUE_TEXT },
	{ "type", VALUE_TEXT },        { "address", VALUE_ADDRESS },
	{ "offset", VALUE_SIZE },      { "size", VALUE_SIZE },
	{ "bit offset", VALUE_COUNT }, { "bits", VALUE_COUNT },
	{ "value", VALUE_TEXT },       { "number", VALUE_HEX, .piped = true },
	{ "depth", VALUE_COUNT },
};

static const struct table print_tables[] = {
	{ "default", print_columns,
	  sizeof(print_columns) / sizeof(print_columns[0]), .no_header = true },
};

struct print {
	const struct dcmd_call *call;
	struct print_options options;
	struct type_value_options value;
	struct sink *out;
	size_t rows;
	bool cut; /* ROWS_MAX was reached */
};

/* What a row says beside the place it is of. */
struct label {
	const char *path, *name;
	unsigned depth;
};

/* --- lines -------------------------------------------------------------- */

static void put_type(struct print *print, struct type *type, FILE *line)
{
	char text[TYPE_TEXT_SIZE];
	struct type *base = type_peel(type);

	type_format(type, text, sizeof(text));
	fprintf(line, "%s%s", text, text[strlen(text) - 1] == '*' ? "" : " ");
	if (!print->options.base_types || type->kind != TYPE_TYPEDEF)
		return;
	type_format(base, text, sizeof(text));
	fprintf(line, "(%s) ", text);
}

static char *make_line(struct print *print, const struct label *label,
		       const struct type_place *place, const char *value)
{
	const struct print_options *options = &print->options;
	char *text = NULL;
	size_t size;
	FILE *line = open_memstream(&text, &size);

	if (!line)
		return NULL;
	if (options->addresses && !place->immediate)
		fprintf(line, "%" PRIx64 " ", place->address);
	fprintf(line, "%*s", (int)label->depth * INDENT, "");
	if (options->types || options->base_types)
		put_type(print, place->type, line);
	if (label->name)
		fprintf(line, "%s = ", label->name);
	fputs(value, line);
	fclose(line);
	return text;
}

static bool has_number(const struct print *print, struct type *type)
{
	uint64_t size;

	return type_is_scalar(type) && type->kind != TYPE_REAL &&
	       print->call->session && type_size(type, &size) && size &&
	       size <= sizeof(uint64_t);
}

static struct value number_of(struct print *print,
			      const struct type_place *place)
{
	struct type *type = type_peel(place->type);
	uint64_t number;
	struct err *err;

	if (print->call->to_pipe && !has_number(print, type))
		return HEX(place->address);
	if (!has_number(print, type))
		return ABSENT(VALUE_HEX);
	err = type_place_number(print->call->session, place, &number);
	if (!err)
		return HEX(number);
	err_free(err);
	return ABSENT(VALUE_HEX);
}

/* value is what the line shows, shown what the row says of it. */
static bool emit(struct print *print, const struct label *label,
		 const struct type_place *place, const char *value,
		 const char *shown)
{
	char type[TYPE_TEXT_SIZE];
	uint64_t size;
	bool sized = type_size(place->type, &size);
	char *text;

	if (print->rows++ >= ROWS_MAX) {
		print->cut = true;
		return false;
	}
	text = make_line(print, label, place, value);
	type_format(place->type, type, sizeof(type));
	SINK_ROW_AS(
		print->out, text, TEXT(label->path), TEXT(label->name),
		TEXT(type),
		place->immediate ? ABSENT(VALUE_ADDRESS)
				 : ADDRESS(place->address),
		SIZE(place->offset), sized ? SIZE(size) : ABSENT(VALUE_SIZE),
		place->bit_size ? COUNT(place->bit_offset)
				: ABSENT(VALUE_COUNT),
		place->bit_size ? COUNT(place->bit_size) : ABSENT(VALUE_COUNT),
		TEXT(shown), number_of(print, place), COUNT(label->depth));
	free(text);
	return !print->out->failed &&
	       !session_interrupted(print->call->session);
}

static void close_brace(struct print *print, const struct label *label,
			uint64_t end, const char *brace)
{
	if (print->options.addresses)
		sink_line(print->out, "%" PRIx64 " %*s%s", end,
			  (int)label->depth * INDENT, "", brace);
	else
		sink_line(print->out, "%*s%s", (int)label->depth * INDENT, "",
			  brace);
}

/* --- what cannot be opened ---------------------------------------------- */

static bool print_value(struct print *print, const struct label *label,
			const struct type_place *place)
{
	char *value = NULL, message[ERROR_SIZE];
	size_t size;
	FILE *stream = open_memstream(&value, &size);
	struct err *err;

	if (!stream)
		return false;
	err = type_value_put(print->call->session, place, &print->value,
			     stream);
	fclose(stream);
	if (err) {
		err_describe(err, message, sizeof(message));
		err_free(err);
		free(value);
		if (asprintf(&value, "<%s>", message) < 0)
			return false;
	}
	bool more = emit(print, label, place, value, err ? NULL : value);
	free(value);
	return more;
}

static bool print_place(struct print *print, const struct label *label,
			const struct type_place *place);

/* --- arrays of what is opened ------------------------------------------- */

static bool print_array(struct print *print, const struct label *label,
			const struct type_place *place, struct type *array)
{
	uint64_t limit = print->value.elements;
	uint64_t count = array->count < limit ? array->count : limit;
	char name[NAME_SIZE], path[PATH_SIZE];
	uint64_t size = 0;
	bool more = emit(print, label, place, count ? "[" : "[]", NULL);

	for (uint64_t i = 0; more && i < count; i++) {
		const struct label inner = { path, name, label->depth + 1 };
		struct type_place element;
		struct err *err = type_place_element(place, i, &element);

		snprintf(name, sizeof(name), "[%" PRIu64 "]", i);
		snprintf(path, sizeof(path), "%s[%" PRIu64 "]", label->path, i);
		if (err) {
			err_free(err);
			break;
		}
		more = print_place(print, &inner, &element);
	}
	if (more && count < array->count)
		sink_line(print->out, "%*s...",
			  (int)(label->depth + 1) * INDENT, "");
	type_size(array, &size);
	if (count)
		close_brace(print, label, place->address + size, "]");
	return more;
}

/* --- structures --------------------------------------------------------- */

static void member_label(const struct label *outer,
			 const struct type_member *member, char name[NAME_SIZE],
			 char path[PATH_SIZE])
{
	const char *own = member->name ? member->name : "";

	if (member->base) {
		const char *base = member->type->name;

		snprintf(name, NAME_SIZE, "<%s>", base ? base : "base");
		snprintf(path, PATH_SIZE, "%s", outer->path);
		return;
	}
	snprintf(name, NAME_SIZE, "%s", own);
	snprintf(path, PATH_SIZE, "%s%s%s", outer->path,
		 *outer->path && *own ? "." : "", own);
}

static void put_hole(struct print *print, const struct label *outer,
		     uint64_t bits)
{
	const char *unit = bits % 8 ? "bit" : "byte";
	uint64_t count = bits % 8 ? bits : bits / 8;

	sink_line(print->out, "%*s<<HOLE %" PRIu64 " %s%s>>",
		  (int)(outer->depth + 1) * INDENT, "", count, unit,
		  count == 1 ? "" : "s");
}

/* Tell of bits between the end of what came before and where this begins. */
static void note_hole(struct print *print, const struct label *outer,
		      const struct type_member *member, uint64_t *end)
{
	uint64_t start = member->offset * 8 + member->bit_offset;
	uint64_t size = 0, bits;

	if (member->virtual_base)
		return;
	if (start > *end)
		put_hole(print, outer, start - *end);
	bits = member->bit_size;
	if (!bits && type_size(member->type, &size) && size < UINT64_MAX / 8)
		bits = size * 8;
	if (start + bits > *end)
		*end = start + bits;
}

static bool print_member(struct print *print, const struct label *outer,
			 const struct type_place *place,
			 const struct type_member *member)
{
	char name[NAME_SIZE], path[PATH_SIZE], message[ERROR_SIZE];
	const struct label label = { path,
				     member->name || member->base ? name : NULL,
				     outer->depth + 1 };
	struct session *session = print->call->session;
	struct type_place inner;
	struct err *err = type_place_member(session, place, member, &inner);

	member_label(outer, member, name, path);
	if (!err)
		return print_place(print, &label, &inner);
	err_describe(err, message, sizeof(message));
	err_free(err);
	sink_line(print->out, "%*s%s = <%s>", (int)label.depth * INDENT, "",
		  name, message);
	return true;
}

static bool print_members(struct print *print, const struct label *label,
			  const struct type_place *place, struct type *type)
{
	const struct type_member *members;
	size_t count = type_members(type, &members);
	bool holes = print->options.holes && type->kind != TYPE_UNION;
	bool more = emit(print, label, place, "{", NULL);
	uint64_t end = 0;

	for (size_t i = 0; more && i < count; i++) {
		if (holes)
			note_hole(print, label, &members[i], &end);
		more = print_member(print, label, place, &members[i]);
	}
	if (holes && type->size < UINT64_MAX / 8 && type->size * 8 > end)
		put_hole(print, label, type->size * 8 - end);
	close_brace(print, label, place->address + type->size, "}");
	return more;
}

static bool is_too_deep(const struct print *print, unsigned depth)
{
	return depth >= DEPTH_MAX ||
	       (print->options.has_depth && depth >= print->options.depth);
}

static bool print_place(struct print *print, const struct label *label,
			const struct type_place *place)
{
	struct type *type = type_peel(place->type);

	if (type_value_is_line(type))
		return print_value(print, label, place);
	if (type->declaration)
		return emit(print, label, place, "<declared only>", NULL);
	if (is_too_deep(print, label->depth))
		return emit(print, label, place,
			    type->kind == TYPE_ARRAY ? "[ ... ]" : "{ ... }",
			    NULL);
	if (type->kind == TYPE_ARRAY)
		return print_array(print, label, place, type);
	return print_members(print, label, place, type);
}

/* --- the command -------------------------------------------------------- */

static struct err *read_options(const struct dcmd_call *call,
				struct print *print)
{
	struct print_options *options = &print->options;
	struct err *err = NULL;

	*options = *(const struct print_options *)call->options;
	if (options->depth_text) {
		options->has_depth = true;
		err = session_evaluate(call->session, options->depth_text,
				       &options->depth);
	}
	print->value = (struct type_value_options){
		.decimal = options->decimal,
		.no_symbols = options->no_symbols,
		.characters = options->characters ? options->characters
						  : CHARACTERS_DEFAULT,
		.elements = options->elements ? options->elements
					      : ELEMENTS_DEFAULT,
	};
	if (options->all_characters)
		print->value.characters = UINT64_MAX;
	if (options->all_elements)
		print->value.elements = UINT64_MAX;
	return err;
}

/* Into a pipe: what a member holds, of an array each element. */
static struct err *print_to_pipe(struct print *print,
				 const struct type_place *place)
{
	struct type *type = type_peel(place->type);
	const struct label label = { "", NULL, 0 };
	uint64_t count = type->count < print->value.elements
				 ? type->count
				 : print->value.elements;
	bool more = true;

	if (type->kind != TYPE_ARRAY) {
		emit(print, &label, place, "", NULL);
		return NULL;
	}
	for (uint64_t i = 0; more && i < count; i++) {
		struct type_place element;
		struct err *err = type_place_element(place, i, &element);

		if (err)
			return err;
		more = emit(print, &label, &element, "", NULL);
	}
	return NULL;
}

static struct err *print_one(struct print *print, const struct type_place *from,
			     const char *path)
{
	struct type_place place = *from;
	const char *name = path && strcmp(path, ".") != 0 ? path : NULL;
	const struct label label = { name ? name : "", name, 0 };
	struct err *err = NULL;

	if (path)
		err = type_place_follow(print->call->session, path, &place);
	if (err)
		return err;
	if (print->call->to_pipe)
		return print_to_pipe(print, &place);
	print_place(print, &label, &place);
	return NULL;
}

static struct err *print_run(const struct dcmd_call *call, struct sink *out)
{
	struct print print = { .call = call, .out = out };
	struct err *err = read_options(call, &print);
	struct type_place place;
	int used = 0;

	if (!err)
		err = type_place_of_words(call->session, call->has_address,
					  call->address, call->argc, call->argv,
					  &place, &used);
	if (err)
		return err;
	if (print.options.immediate) {
		place.immediate = true;
		place.value = place.address;
		place.address = 0;
	}
	if (used == call->argc)
		err = print_one(&print, &place, NULL);
	for (int i = used; !err && i < call->argc; i++)
		err = print_one(&print, &place, call->argv[i]);
	if (print.cut)
		sink_note(out, "stopped after %d lines", ROWS_MAX);
	return err;
}

const struct dcmd dcmd_print = {
	.name = "print",
	.summary = "memory as its type says: structures, arrays, members",
	.help = "Shows the object of a type that lies at the address. Types "
		"come from the debug information of the program and its "
		"libraries, or from ::typedef. Where the address is a "
		"variable's, its type is known and need not be named; without "
		"an address, a variable's name may stand in the type's "
		"place.\n\n"
		"After the type come members, and only they are shown: a, "
		"a.b, a->b, a[3], [1].x, in any combination, or *a for what a "
		"points to; an index is an expression. Members of anonymous "
		"structures and of base "
		"classes are found by their name alone.\n\n"
		"Integers are hexadecimal unless -d. An enumeration's value is "
		"followed by its enumerators, char is shown as text, a pointer "
		"to char with its string, and a pointer into a symbol as that "
		"symbol. What cannot be read is told in its place.\n\n"
		"In a pipe each member yields its value (a pointer, a number), "
		"an array one value for each element, a structure its "
		"address. JSON has a row for each member at every depth.",
	.example = "kma_root::print -s 1",
	.arguments = "[type | variable] [member ...]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "object",
	.options = print_options,
	.option_count = sizeof(print_options) / sizeof(print_options[0]),
	.options_size = sizeof(struct print_options),
	.tables = print_tables,
	.table_count = 1,
	.run = print_run,
};
