/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A member that cannot be read says so in the place of its value, and the
 * others follow. Types may come from anyone, so depth and rows have limits.
 */
#include "kdbg/dcmds/print_tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEPTH_MAX = 32,
	INDENT = 4,
	TYPE_TEXT_SIZE = 512,
	NAME_SIZE = 256,
	PATH_SIZE = 1024,
	ERROR_SIZE = 256,
};

static const struct column print_columns[] = {
	{ "path", VALUE_TEXT },        { "name", VALUE_TEXT },
	{ "type", VALUE_TEXT },        { "address", VALUE_ADDRESS },
	{ "offset", VALUE_SIZE },      { "size", VALUE_SIZE },
	{ "bit offset", VALUE_COUNT }, { "bits", VALUE_COUNT },
	{ "value", VALUE_TEXT },       { "number", VALUE_HEX, .piped = true },
	{ "depth", VALUE_COUNT },
};

const struct table print_tables[1] = {
	{ "default", print_columns,
	  sizeof(print_columns) / sizeof(print_columns[0]), .no_header = true },
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

static char *make_line(struct print *print, const struct print_label *label,
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

bool print_row(struct print *print, const struct print_label *label,
	       const struct type_place *place, const char *value,
	       const char *shown)
{
	char type[TYPE_TEXT_SIZE];
	uint64_t size;
	bool sized = type_size(place->type, &size);
	char *text;

	if (print->rows++ >= PRINT_ROWS_MAX) {
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

void print_line(struct print *print, unsigned depth, uint64_t address,
		const char *text)
{
	if (print->options.addresses)
		sink_line(print->out, "%" PRIx64 " %*s%s", address,
			  (int)depth * INDENT, "", text);
	else
		sink_line(print->out, "%*s%s", (int)depth * INDENT, "", text);
}

/* --- what cannot be opened ---------------------------------------------- */

static bool print_value(struct print *print, const struct print_label *label,
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
	bool more = print_row(print, label, place, value, err ? NULL : value);
	free(value);
	return more;
}

/* --- arrays of what is opened ------------------------------------------- */

static bool print_array(struct print *print, const struct print_label *label,
			const struct type_place *place, struct type *array)
{
	uint64_t limit = print->value.elements;
	uint64_t count = array->count < limit ? array->count : limit;
	char name[NAME_SIZE], path[PATH_SIZE];
	uint64_t size = 0;
	bool more = print_row(print, label, place, count ? "[" : "[]", NULL);

	for (uint64_t i = 0; more && i < count; i++) {
		const struct print_label inner = { path, name,
						   label->depth + 1 };
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
		print_line(print, label->depth, place->address + size, "]");
	return more;
}

/* --- structures --------------------------------------------------------- */

static void member_label(const struct print_label *outer,
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

static void put_hole(struct print *print, const struct print_label *outer,
		     uint64_t bits)
{
	const char *unit = bits % 8 ? "bit" : "byte";
	uint64_t count = bits % 8 ? bits : bits / 8;

	sink_line(print->out, "%*s<<HOLE %" PRIu64 " %s%s>>",
		  (int)(outer->depth + 1) * INDENT, "", count, unit,
		  count == 1 ? "" : "s");
}

/* Tell of bits between the end of what came before and where this begins. */
static void note_hole(struct print *print, const struct print_label *outer,
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

static bool print_member(struct print *print, const struct print_label *outer,
			 const struct type_place *place,
			 const struct type_member *member)
{
	char name[NAME_SIZE], path[PATH_SIZE], message[ERROR_SIZE];
	const struct print_label label = { path,
					   member->name || member->base ? name
									: NULL,
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

/* A base without members says nothing, and C++ programs are full of them. */
static bool is_passed_over(const struct print *print,
			   const struct type_member *member)
{
	const struct type_member *members;

	return member->base && !print->options.raw && !print->options.holes &&
	       !type_members(type_peel(member->type), &members);
}

static bool print_members(struct print *print, const struct print_label *label,
			  const struct type_place *place, struct type *type)
{
	const struct type_member *members;
	size_t count = type_members(type, &members);
	bool holes = print->options.holes && type->kind != TYPE_UNION;
	bool more = print_row(print, label, place, "{", NULL);
	uint64_t end = 0;

	for (size_t i = 0; more && i < count; i++) {
		if (is_passed_over(print, &members[i]))
			continue;
		if (holes)
			note_hole(print, label, &members[i], &end);
		more = print_member(print, label, place, &members[i]);
	}
	if (holes && type->size < UINT64_MAX / 8 && type->size * 8 > end)
		put_hole(print, label, type->size * 8 - end);
	print_line(print, label->depth, place->address + type->size, "}");
	return more;
}

static bool is_too_deep(const struct print *print, unsigned depth)
{
	return depth >= DEPTH_MAX ||
	       (print->options.has_depth && depth >= print->options.depth);
}

bool print_place(struct print *print, const struct print_label *label,
		 const struct type_place *place)
{
	struct type *type = type_peel(place->type);
	struct container container;

	if (type_value_is_line(type))
		return print_value(print, label, place);
	if (type->declaration)
		return print_row(print, label, place, "<declared only>", NULL);
	if (print_is_container(print, place, &container) &&
	    (container.shape <= CONTAINER_POINTER ||
	     !is_too_deep(print, label->depth)))
		return print_container(print, label, place, &container);
	if (is_too_deep(print, label->depth))
		return print_row(
			print, label, place,
			type->kind == TYPE_ARRAY ? "[ ... ]" : "{ ... }", NULL);
	if (type->kind == TYPE_ARRAY)
		return print_array(print, label, place, type);
	return print_members(print, label, place, type);
}
