/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/type_place.h"

#include "kdbg/target.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_SIZE = 256,
	TYPE_TEXT_SIZE = 256,
	NESTING_MAX = 16, /* of anonymous members and bases */
	STEPS_MAX = 100000,
};

struct err *type_place_read(struct session *session,
			    const struct type_place *place, uint64_t address,
			    void *buffer, size_t size)
{
	if (!place->immediate)
		return target_read(session->target, address, buffer, size);
	if (address > sizeof(place->value) ||
	    size > sizeof(place->value) - address)
		return err_new(ERR_USAGE,
			       "a value has 8 bytes, this needs %" PRIu64,
			       address + size);
	memcpy(buffer, (const char *)&place->value + address, size);
	return NULL;
}

/* --- numbers ------------------------------------------------------------ */

static uint64_t sign_extend(uint64_t value, unsigned bits)
{
	if (!bits || bits >= 64)
		return value;
	return (uint64_t)((int64_t)(value << (64 - bits)) >> (64 - bits));
}

static struct err *read_bits(struct session *session,
			     const struct type_place *place, uint64_t *ret)
{
	size_t bytes = (place->bit_offset + place->bit_size + 7) / 8;
	unsigned char raw[9] = { 0 };
	unsigned __int128 all = 0;
	struct err *err =
		type_place_read(session, place, place->address, raw, bytes);

	for (size_t i = bytes; i-- > 0;)
		all = all << 8 | raw[i];
	*ret = (uint64_t)(all >> place->bit_offset);
	if (place->bit_size < 64)
		*ret &= (UINT64_C(1) << place->bit_size) - 1;
	return err;
}

struct err *type_place_number(struct session *session,
			      const struct type_place *place, uint64_t *ret)
{
	struct type *type = type_peel(place->type);
	unsigned bits = place->bit_size;
	uint64_t size = 0, value = 0;
	struct err *err;

	if (bits) {
		err = read_bits(session, place, &value);
	} else if (!type_size(type, &size) || size > sizeof(value)) {
		err = err_new(ERR_USAGE, "no number of %" PRIu64 " bytes",
			      size);
	} else {
		err = type_place_read(session, place, place->address, &value,
				      size);
		bits = (unsigned)size * 8;
	}
	if (!err)
		*ret = type->is_signed ? sign_extend(value, bits) : value;
	return err;
}

/* --- steps -------------------------------------------------------------- */

static struct err *virtual_base(struct session *session,
				const struct type_place *of,
				const struct type_member *member,
				uint64_t *offset)
{
	uint64_t table;
	struct err *err = type_place_read(session, of, of->address, &table,
					  sizeof(table));

	if (!err)
		err = target_read(session->target, table - member->vbase_slot,
				  offset, sizeof(*offset));
	return err_wrap(err, "the place of a virtual base");
}

struct err *type_place_member(struct session *session,
			      const struct type_place *of,
			      const struct type_member *member,
			      struct type_place *ret)
{
	uint64_t offset = member->offset;
	struct err *err = NULL;

	if (member->virtual_base)
		err = virtual_base(session, of, member, &offset);
	if (err)
		return err;
	*ret = *of;
	ret->type = member->type;
	ret->address = of->address + offset;
	ret->offset = of->offset + offset;
	ret->bit_offset = member->bit_offset;
	ret->bit_size = member->bit_size;
	return NULL;
}

struct err *type_place_element(const struct type_place *of, uint64_t index,
			       struct type_place *ret)
{
	struct type *element = type_target(type_peel(of->type));
	uint64_t size;

	if (!type_size(element, &size))
		return err_new(ERR_USAGE,
			       "an element of the array has no known size");
	*ret = *of;
	ret->type = element;
	ret->address = of->address + index * size;
	ret->offset = of->offset + index * size;
	return NULL;
}

/* What a pointer points to. */
static struct err *dereference(struct session *session,
			       struct type_place *place)
{
	struct type *pointer = type_peel(place->type);
	uint64_t address;
	struct err *err = type_place_number(session, place, &address);

	if (!err)
		*place = (struct type_place){ .type = type_target(pointer),
					      .address = address };
	return err;
}

static bool is_pointer(struct type *type)
{
	enum type_kind kind = type_peel(type)->kind;

	return kind == TYPE_POINTER || kind == TYPE_REFERENCE;
}

struct member_search {
	const char *name;
	bool found;
	unsigned steps; /* left: a file may nest anonymous members at will */
};

/* Find a member by name, also in anonymous members and bases. found: place
 * has become the member. */
static struct err *find_member(struct session *session,
			       struct member_search *search,
			       struct type_place *place, unsigned depth)
{
	const struct type_place outer = *place;
	const struct type_member *members;
	size_t count = type_members(type_peel(outer.type), &members);
	struct err *err = NULL;

	for (size_t i = 0; i < count; i++)
		if (members[i].name && !members[i].base &&
		    strcmp(members[i].name, search->name) == 0) {
			search->found = true;
			return type_place_member(session, &outer, &members[i],
						 place);
		}
	for (size_t i = 0; i < count && depth < NESTING_MAX && search->steps;
	     i++, search->steps--) {
		struct type_place inner;

		if ((members[i].name && !members[i].base) ||
		    !type_is_aggregate(type_peel(members[i].type)))
			continue;
		err = type_place_member(session, &outer, &members[i], &inner);
		if (!err)
			err = find_member(session, search, &inner, depth + 1);
		if (err || search->found) {
			*place = inner;
			return err;
		}
	}
	return err;
}

static struct err *unlike(struct type *type, const char *what)
{
	char text[TYPE_TEXT_SIZE];

	type_format(type, text, sizeof(text));
	return err_new(ERR_USAGE, "%s is no %s", text, what);
}

static struct err *no_member(struct type *type, const char *name)
{
	char text[TYPE_TEXT_SIZE];

	type_format(type, text, sizeof(text));
	if (type_peel(type)->declaration)
		return err_new(ERR_NOT_FOUND,
			       "%s is declared only: no module that is here "
			       "defines it",
			       text);
	return err_new(ERR_NOT_FOUND, "%s has no member %s", text, name);
}

static struct err *step_member(struct session *session, const char *name,
			       struct type_place *place)
{
	struct member_search search = { name, false, STEPS_MAX };
	struct err *err = NULL;

	if (is_pointer(place->type))
		err = dereference(session, place);
	if (err)
		return err;
	if (!type_is_aggregate(type_peel(place->type)))
		return unlike(place->type, "structure");
	struct type *type = place->type;
	err = find_member(session, &search, place, 0);
	if (!err && !search.found)
		err = no_member(type, name);
	return err;
}

static struct err *step_index(struct session *session, const char *text,
			      struct type_place *place)
{
	struct type *type = type_peel(place->type);
	uint64_t index;
	struct err *err = session_evaluate(session, text, &index);

	if (err)
		return err;
	if (type->kind == TYPE_POINTER) {
		err = dereference(session, place);
		if (err)
			return err;
		struct type_place array = *place;
		array.type = type;
		return type_place_element(&array, index, place);
	}
	if (type->kind != TYPE_ARRAY)
		return unlike(place->type, "array");
	if (type->count && index >= type->count) {
		char name[TYPE_TEXT_SIZE];

		type_format(place->type, name, sizeof(name));
		return err_new(ERR_USAGE, "%s has no element %" PRIu64, name,
			       index);
	}
	const struct type_place array = *place;
	return type_place_element(&array, index, place);
}

/* Copy what is before end to buffer. */
static struct err *take(const char *text, size_t length, char buffer[NAME_SIZE])
{
	if (!length || length >= NAME_SIZE)
		return err_new(ERR_USAGE, "not a member: '%.40s'", text);
	memcpy(buffer, text, length);
	buffer[length] = '\0';
	return NULL;
}

static struct err *step(struct session *session, const char **path,
			struct type_place *place)
{
	const char *text = *path;
	char name[NAME_SIZE];
	struct err *err;
	size_t length;

	if (*text == '[') {
		length = strcspn(text, "]");
		if (!text[length])
			return err_new(ERR_USAGE, "no ] after '%.40s'", text);
		err = take(text + 1, length - 1, name);
		*path = text + length + 1;
		return err ? err : step_index(session, name, place);
	}
	if (strncmp(text, "->", 2) == 0) {
		if (!is_pointer(place->type))
			return unlike(place->type, "pointer");
		text += 2;
	} else if (*text == '.') {
		text++;
	}
	length = 0;
	while (isalnum((unsigned char)text[length]) || text[length] == '_' ||
	       text[length] == '$')
		length++;
	err = take(text, length, name);
	*path = text + length;
	return err ? err : step_member(session, name, place);
}

struct err *type_place_follow(struct session *session, const char *path,
			      struct type_place *place)
{
	bool pointed = *path == '*';
	const char *at = path + pointed;
	struct err *err = NULL;

	if (strcmp(at, ".") == 0)
		at = "";
	while (!err && *at)
		err = step(session, &at, place);
	if (!err && pointed && !is_pointer(place->type))
		err = unlike(place->type, "pointer");
	else if (!err && pointed)
		err = dereference(session, place);
	return err_wrap(err, "%s", path);
}

/* --- words -------------------------------------------------------------- */

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

/* How many words lie before the offset into the joined text. */
static int words_before(int argc, const char *const *argv, size_t offset)
{
	size_t at = 0;
	int i = 0;

	while (i < argc && at < offset)
		at += strlen(argv[i++]) + 1;
	return i;
}

struct err *type_of_words(struct session *session, int argc,
			  const char *const *argv, struct type **ret, int *used)
{
	struct types *types;
	struct err *err = session_types(session, &types);
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
		*used = words_before(argc, argv, (size_t)(end - text));
	free(text);
	return err;
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
	*place = (struct type_place){ .type = type,
				      .address = address - offset };
	return offset == 0;
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
	struct symbols *symbols;
	struct symbol symbol;
	uint64_t address;
	struct err *err = session_symbols(session, &symbols);

	snprintf(name, sizeof(name), "%.*s", (int)length, word + pointed);
	snprintf(path, NAME_SIZE, "%s%s", pointed ? "*" : "",
		 word + pointed + length);
	if (!err)
		err = symbols_find(symbols, name, &symbol, &address);
	if (err) {
		err_free(err);
		return false;
	}
	return is_variable(session, address, place);
}

/* The address is a variable's that has this member. */
static bool has_member(struct session *session, uint64_t address,
		       const char *path, struct type_place *ret)
{
	struct type_place member;

	if (!is_variable(session, address, ret))
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
	if (!is_variable(session, address, place))
		return err ? err : untyped(session, address);
	err_free(err);
	return NULL;
}
