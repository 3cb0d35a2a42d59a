/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/type_place.h"

#include "kdbg/target.h"
#include "kdbg/type_container.h"

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
	if (place->nowhere)
		return err_new(ERR_USAGE, "there is no object to read from");
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

static bool is_pointer(struct type *type)
{
	enum type_kind kind = type_peel(type)->kind;

	return kind == TYPE_POINTER || kind == TYPE_REFERENCE;
}

static struct err *unlike(struct type *type, const char *what)
{
	char text[TYPE_TEXT_SIZE];

	type_format(type, text, sizeof(text));
	return err_new(ERR_USAGE, "%s is no %s", text, what);
}

/* An owning pointer of the C++ library stands for the pointer, a vector for the
 * array. */
static struct type *without_wrapping(struct session *session,
				     struct type_place *place)
{
	struct container container;
	struct err *err = container_open(session, place, &container);

	err_free(err); /* then it is what it is */
	if (container.shape != CONTAINER_NONE &&
	    container.shape <= CONTAINER_POINTER)
		*place = container.run;
	return type_peel(place->type);
}

struct err *type_place_dereference(struct session *session,
				   struct type_place *place)
{
	struct type *pointer = without_wrapping(session, place);
	uint64_t address;

	if (!is_pointer(pointer))
		return unlike(place->type, "pointer");
	if (place->nowhere) {
		*place = (struct type_place){ .type = type_target(pointer),
					      .nowhere = true,
					      .elsewhere = true };
		return NULL;
	}
	struct err *err = type_place_number(session, place, &address);
	if (!err)
		*place = (struct type_place){ .type = type_target(pointer),
					      .address = address };
	return err;
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

struct err *type_place_defined(struct type *type)
{
	char text[TYPE_TEXT_SIZE];

	if (!type_peel(type)->declaration)
		return NULL;
	type_format(type, text, sizeof(text));
	return err_new(ERR_NOT_FOUND,
		       "%s is declared only: no module that is here defines it",
		       text);
}

static struct err *no_member(struct type *type, const char *name)
{
	char text[TYPE_TEXT_SIZE];
	struct err *err = type_place_defined(type);

	type_format(type, text, sizeof(text));
	return err ? err
		   : err_new(ERR_NOT_FOUND, "%s has no member %s", text, name);
}

static struct err *step_member(struct session *session, const char *name,
			       struct type_place *place)
{
	struct member_search search = { name, false, STEPS_MAX };
	struct err *err = NULL;

	if (is_pointer(place->type))
		err = type_place_dereference(session, place);
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

struct err *type_place_index(struct session *session, uint64_t index,
			     struct type_place *place)
{
	struct type *type = without_wrapping(session, place);

	if (type->kind == TYPE_POINTER) {
		struct err *err = type_place_dereference(session, place);
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
	uint64_t index;
	struct err *err;
	size_t length;

	if (*text == '[') {
		length = strcspn(text, "]");
		if (!text[length])
			return err_new(ERR_USAGE, "no ] after '%.40s'", text);
		err = take(text + 1, length - 1, name);
		*path = text + length + 1;
		if (!err)
			err = session_evaluate(session, name, &index);
		return err ? err : type_place_index(session, index, place);
	}
	if (strncmp(text, "->", 2) == 0) {
		if (!is_pointer(without_wrapping(session, place)))
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
	if (!err && pointed)
		err = type_place_dereference(session, place);
	return err_wrap(err, "%s", path);
}

struct err *type_place_within(struct session *session, struct type *type,
			      const char *path, struct type_place *ret)
{
	*ret = (struct type_place){ .type = type, .nowhere = true };
	struct err *err = type_place_follow(session, path, ret);

	if (!err && ret->elsewhere)
		err = err_new(ERR_USAGE,
			      "%s: it leads through a pointer, into another "
			      "object",
			      path);
	return err;
}

struct err *type_place_shape(struct session *session, struct type *type,
			     const char *path, struct type **ret)
{
	struct type_place place = { .type = type, .nowhere = true };
	struct err *err = type_place_follow(session, path, &place);

	if (!err)
		*ret = place.type;
	return err;
}
