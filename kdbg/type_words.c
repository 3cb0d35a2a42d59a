/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/type_words.h"

#include "kdbg/expression.h"
#include "kdbg/symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 256 };

static char *join(int argc, const char *const *argv)
{
	size_t size = 1;

	for (int i = 0; i < argc; i++)
		size += strlen(argv[i]) + 1;
	char *text = calloc(1, size);
	for (int i = 0; text && i < argc; i++) {
		strcat(text, argv[i]);
		strcat(text, " ");
	}
	return text;
}

/* How many words lie before the offset into the joined text. *whole: the last
 * of them does not reach beyond it. */
static int words_before(int argc, const char *const *argv, size_t offset,
			bool *whole)
{
	size_t at = 0;
	int i = 0;

	while (i < argc && at < offset)
		at += strlen(argv[i++]) + 1;
	*whole = at <= offset + 1;
	return i;
}

struct err *type_of_words(struct session *session, int argc,
			  const char *const *argv, struct type **ret, int *used)
{
	struct types *types;
	struct err *err = session_types(session, &types);
	bool whole = true;
	const char *end;

	if (err)
		return err;
	if (argc < 1)
		return err_new(ERR_USAGE, "which type?");
	char *text = join(argc, argv);
	if (!text)
		return err_new(ERR_NO_MEMORY, "out of memory");
	err = types_find(types, text, &end, ret);
	if (!err)
		*used = words_before(argc, argv, (size_t)(end - text), &whole);
	free(text);
	/* "struct foo [1].bar": [1] is the member's. */
	if (!err && !whole && *used > 1)
		return type_of_words(session, *used - 1, argv, ret, used);
	return err;
}

/* An address inside an array is its element's. */
static struct type *element_at(struct type *type, uint64_t *offset)
{
	struct type *array = type_peel(type);
	uint64_t size;

	while (*offset && array->kind == TYPE_ARRAY) {
		struct type *element = type_target(array);

		if (!type_size(element, &size) || !size)
			break;
		*offset %= size;
		type = element;
		array = type_peel(type);
	}
	return type;
}

static bool is_variable(struct session *session, uint64_t address,
			struct type_place *place)
{
	struct types *types;
	struct err *err = session_types(session, &types);
	struct type *type;
	uint64_t offset;

	if (err || !types_variable_at(types, address, &type, &offset)) {
		err_free(err);
		return false;
	}
	type = element_at(type, &offset);
	*place = (struct type_place){ .type = type,
				      .address = address - offset };
	return offset == 0;
}

/* What the address was written as has a type: "list->next::print". */
static bool is_written_typed(struct session *session, uint64_t address,
			     struct type_place *place)
{
	const struct expression *written = session->address_expression;
	struct typed_value value = { 0 };
	struct err *err = NULL;

	if (!written || (!expression_is_typed(written) &&
			 written->kind != EXPRESSION_NAME &&
			 written->kind != EXPRESSION_UNARY))
		return false;
	err = expression_typed(session, written, &value);
	bool typed = !err && value.typed && value.value == address;
	err_free(err);
	if (!typed)
		return false;
	if (value.named) {
		*place = value.place;
		return true;
	}
	struct type *type = type_peel(value.place.type);
	*place = value.place;
	if (type->kind == TYPE_POINTER)
		*place = (struct type_place){ .type = type_target(type),
					      .address = address };
	return place->address == address && !place->immediate;
}

static bool is_known(struct session *session, uint64_t address,
		     struct type_place *place)
{
	return is_written_typed(session, address, place) ||
	       is_variable(session, address, place);
}

static bool begins_like_type(const char *word)
{
	static const char *const keywords[] = { "struct", "union", "enum",
						"class" };

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		size_t length = strlen(keywords[i]);

		if (strncmp(word, keywords[i], length) == 0 &&
		    (!word[length] || word[length] == ' '))
			return true;
	}
	return false;
}

/* A variable's name, in the place of an address; path is what follows it. */
static bool names_variable(struct session *session, const char *word,
			   struct type_place *place, char path[NAME_SIZE])
{
	char name[NAME_SIZE];
	bool pointed = *word == '*';
	size_t length = strcspn(word + pointed, ".[-");
	const struct expression named = { .kind = EXPRESSION_NAME,
					  .name = name };
	struct typed_value value;

	snprintf(name, sizeof(name), "%.*s", (int)length, word + pointed);
	snprintf(path, NAME_SIZE, "%s%s", pointed ? "*" : "",
		 word + pointed + length);
	struct err *err = expression_typed(session, &named, &value);
	bool found = !err && value.named;
	err_free(err);
	if (found)
		*place = value.place;
	return found;
}

/* The address is a variable's that has this member. */
static bool has_member(struct session *session, uint64_t address,
		       const char *path, struct type_place *ret)
{
	struct type_place member;

	if (!is_known(session, address, ret))
		return false;
	member = *ret;
	struct err *err = type_place_follow(session, path, &member);
	bool found = !err;
	err_free(err);
	return found;
}

static struct err *untyped(struct session *session, uint64_t address)
{
	struct symbols *symbols;
	char where[256] = "this address";
	struct err *err = session_symbols(session, &symbols);

	if (!err)
		symbols_format(symbols, address, where, sizeof(where));
	err_free(err);
	return err_new(ERR_NOT_FOUND,
		       "no debug information tells of a variable at %s: name "
		       "a type",
		       where);
}

struct err *type_place_of_words(struct session *session, bool has_address,
				uint64_t address, int argc,
				const char *const *argv,
				struct type_place *place, int *used)
{
	struct type *type;
	struct err *err = NULL;
	char path[NAME_SIZE];

	*used = 0;
	if (argc > 0 && !strchr(".[-", argv[0][0])) {
		/* C keeps "struct foo" apart from a variable foo. */
		if (!has_address && !begins_like_type(argv[0]) &&
		    names_variable(session, argv[0], place, path)) {
			*used = 1;
			return type_place_follow(session, path, place);
		}
		/* Nor does a member of this name mean the type. */
		if (has_address && !begins_like_type(argv[0]) &&
		    has_member(session, address, argv[0], place))
			return NULL;
		err = type_of_words(session, argc, argv, &type, used);
		if (!err)
			*place = (struct type_place){ .type = type,
						      .address = address };
		if (!err || begins_like_type(argv[0]))
			return err;
	}
	if (!is_known(session, address, place))
		return err ? err : untyped(session, address);
	err_free(err);
	return NULL;
}
