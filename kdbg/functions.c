/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/functions.h"

#include "kdbg/heap.h"
#include "kdbg/target.h"

#include <string.h>

enum { STRING_MAX = 1 << 20, CHUNK = 4096 };

static struct err *need_target(const struct session *session)
{
	return session->target ? NULL
			       : err_new(ERR_NOT_FOUND, "no target is open");
}

/* --- types -------------------------------------------------------------- */

static struct err *find_type(struct session *session, const char *text,
			     struct type **ret)
{
	struct types *types;
	const char *end;
	struct err *err = session_types(session, &types);

	if (!err)
		err = types_find(types, text, &end, ret);
	if (!err && *end)
		err = err_new(ERR_USAGE, "'%s' after the type", end);
	return err;
}

static struct err *find_member(struct session *session,
			       const struct function_value *names,
			       struct type_place *ret)
{
	struct type *type;
	struct err *err = find_type(session, names[0].text, &type);

	if (err)
		return err;
	return type_place_within(session, type, names[1].text, ret);
}

static struct err *call_sizeof(struct session *session,
			       const struct function_value *arguments,
			       struct typed_value *ret)
{
	struct type *type;
	struct err *err = find_type(session, arguments[0].text, &type);

	if (!err && !type_size(type, &ret->value))
		err = err_new(ERR_NOT_FOUND, "%s has no known size",
			      arguments[0].text);
	return err;
}

static struct err *call_offsetof(struct session *session,
				 const struct function_value *arguments,
				 struct typed_value *ret)
{
	struct type_place member = { 0 };
	struct err *err = find_member(session, arguments, &member);

	ret->value = member.offset;
	return err;
}

/* From a member that lies at an address to a pointer to what it is part of. */
static struct err *call_container(struct session *session,
				  const struct function_value *arguments,
				  struct typed_value *ret)
{
	struct type_place member = { 0 };
	struct type *type;
	struct types *types;
	struct err *err = find_member(session, arguments + 1, &member);

	if (!err)
		err = find_type(session, arguments[1].text, &type);
	if (!err)
		err = session_types(session, &types);
	if (err)
		return err;
	*ret = typed_pointer(type_pointer_to(types, type),
			     arguments[0].number - member.offset);
	return NULL;
}

/* --- buffers ------------------------------------------------------------ */

/* The live buffer at an address; all zero: there is none. */
static struct err *find_buffer(struct session *session, uint64_t address,
			       struct heap_buffer *ret)
{
	struct heap *heap;
	struct err *err = session_heap(session, &heap);

	if (err || !heap_buffer_at(heap, address, ret) ||
	    !heap_buffer_live(ret) || address < ret->user ||
	    address - ret->user >= (ret->size ? ret->size : 1))
		*ret = (struct heap_buffer){ 0 };
	return err;
}

static struct err *call_buffer(struct session *session,
			       const struct function_value *arguments,
			       struct typed_value *ret)
{
	struct heap_buffer buffer;
	struct err *err = find_buffer(session, arguments[0].number, &buffer);

	ret->value = buffer.user;
	return err;
}

static struct err *call_bufsize(struct session *session,
				const struct function_value *arguments,
				struct typed_value *ret)
{
	struct heap_buffer buffer;
	struct err *err = find_buffer(session, arguments[0].number, &buffer);

	ret->value = buffer.size;
	return err;
}

/* --- strings ------------------------------------------------------------ */

static struct err *call_strlen(struct session *session,
			       const struct function_value *arguments,
			       struct typed_value *ret)
{
	char bytes[CHUNK];
	struct err *err = need_target(session);

	for (uint64_t length = 0; !err && length < STRING_MAX;
	     length += sizeof(bytes)) {
		uint64_t at = arguments[0].number + length;
		size_t size = target_read_some(session->target, at, bytes,
					       sizeof(bytes));

		ret->value = length + strnlen(bytes, size);
		if (ret->value < length + size)
			return NULL;
		if (size < sizeof(bytes))
			err = err_new(ERR_NOT_FOUND,
				      "no string: not readable, or without an "
				      "end");
	}
	return err;
}

static struct err *call_streq(struct session *session,
			      const struct function_value *arguments,
			      struct typed_value *ret)
{
	char bytes[CHUNK];
	size_t size = strlen(arguments[1].text) + 1;
	struct err *err = need_target(session);

	if (!err && size > sizeof(bytes))
		err = err_new(ERR_USAGE, "the string is too long");
	if (err)
		return err;
	ret->value = target_read_some(session->target, arguments[0].number,
				      bytes, size) == size &&
		     memcmp(bytes, arguments[1].text, size) == 0;
	return NULL;
}

/* --- numbers ------------------------------------------------------------ */

static struct err *call_max(struct session *session,
			    const struct function_value *arguments,
			    struct typed_value *ret)
{
	uint64_t a = arguments[0].number, b = arguments[1].number;

	(void)session;
	ret->value = a > b ? a : b;
	return NULL;
}

static struct err *call_min(struct session *session,
			    const struct function_value *arguments,
			    struct typed_value *ret)
{
	uint64_t a = arguments[0].number, b = arguments[1].number;

	(void)session;
	ret->value = a < b ? a : b;
	return NULL;
}

static const struct function table[] = {
	{ "buffer", "e", "buffer(addr)",
	  "where the live buffer around addr begins, or 0", call_buffer },
	{ "bufsize", "e", "bufsize(addr)",
	  "bytes asked for of the buffer around addr, or 0", call_bufsize },
	{ "container", "etm", "container(addr, type, member)",
	  "pointer to the object whose member lies at addr", call_container },
	{ "max", "ee", "max(a, b)", "the larger, unsigned", call_max },
	{ "min", "ee", "min(a, b)", "the smaller, unsigned", call_min },
	{ "offsetof", "tm", "offsetof(type, member)",
	  "where in a type a member lies", call_offsetof },
	{ "sizeof", "t", "sizeof(type)", "how many bytes a type has",
	  call_sizeof },
	{ "streq", "es", "streq(addr, \"text\")",
	  "1 if this very string lies at addr, else 0", call_streq },
	{ "strlen", "e", "strlen(addr)", "the length of the string at addr",
	  call_strlen },
};

enum { TABLE_SIZE = sizeof(table) / sizeof(table[0]) };

size_t functions(const struct function **ret)
{
	*ret = table;
	return TABLE_SIZE;
}

const struct function *function_find(const char *name)
{
	for (size_t i = 0; i < TABLE_SIZE; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

struct err *function_call(struct session *session,
			  const struct expression *call,
			  struct typed_value *ret)
{
	struct function_value values[FUNCTION_ARGUMENTS_MAX] = { 0 };
	const struct argument *argument = call->arguments;
	struct err *err = NULL;

	for (size_t i = 0; argument && i < FUNCTION_ARGUMENTS_MAX && !err;
	     argument = argument->next, i++) {
		values[i].text = argument->text;
		if (argument->value)
			err = expression_value(session, argument->value,
					       &values[i].number);
	}
	*ret = (struct typed_value){ 0 };
	if (!err)
		err = call->function->call(session, values, ret);
	return err_wrap(err, "%s()", call->function->name);
}
