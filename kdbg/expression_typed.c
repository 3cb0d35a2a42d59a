/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Members in expressions. A type comes from a variable's name, a cast or a
 * member, and lasts from there through members, indices and reads: whatever
 * else is done with a value makes a plain number of it.
 */
#include "kdbg/expression.h"

#include "kdbg/functions.h"
#include "kdbg/symbols.h"
#include "kdbg/type_value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct typed_value typed_pointer(struct type *pointer, uint64_t address)
{
	return (struct typed_value){
		.value = address,
		.typed = true,
		.place = { .type = pointer,
			   .immediate = true,
			   .value = address },
	};
}

bool expression_is_typed(const struct expression *node)
{
	return node->kind == EXPRESSION_MEMBER ||
	       node->kind == EXPRESSION_INDEX || node->kind == EXPRESSION_CAST;
}

/* The value of a place. */
static struct err *load(struct session *session, const struct type_place *place,
			struct typed_value *ret)
{
	struct type *type = type_peel(place->type);
	uint64_t size = 0;
	struct err *err = NULL;

	*ret = (struct typed_value){ .value = place->address,
				     .typed = true,
				     .place = *place };
	if (type_is_scalar(type) && type_size(type, &size) &&
	    size <= sizeof(ret->value))
		err = type_place_number(session, place, &ret->value);
	return err;
}

/* "module`name" of a thread-local variable: its type, wherever it lies. */
static bool is_thread_local(struct session *session, struct types *types,
			    const char *name, struct type **ret)
{
	const char *scope = strrchr(name, '`');
	struct symbols *symbols;
	struct symbol symbol;
	struct err *err = session_symbols(session, &symbols);

	if (!err)
		err = symbols_find_thread_local(symbols, name, &symbol);
	bool found = !err &&
		     types_variable_named(types, scope ? scope + 1 : name, ret);
	err_free(err);
	return found;
}

static struct err *name_typed(struct session *session, const char *name,
			      struct typed_value *ret)
{
	struct types *types;
	uint64_t offset;
	struct err *err = expression_name(session, name, &ret->value);

	if (!err)
		err = session_types(session, &types);
	if (err)
		return err;
	ret->place.address = ret->value;
	ret->typed = types_variable_at(types, ret->value, &ret->place.type,
				       &offset) &&
		     offset == 0;
	if (!ret->typed)
		ret->typed =
			is_thread_local(session, types, name, &ret->place.type);
	ret->named = ret->typed;
	return NULL;
}

bool expression_dotted_name(struct session *session, const char *name,
			    struct typed_value *ret, struct err **err)
{
	char *text = strdup(name);
	char *module = text ? strrchr(text, '`') : NULL;
	char *dot = text;
	bool found = false;

	*err = NULL;
	/* The longest name that is one: "counter.0.member". */
	while (!found && (dot = text ? strrchr(text, '.') : NULL) &&
	       dot > text && dot > module) {
		struct typed_value variable = { 0 };

		*dot = '\0';
		struct err *missing = name_typed(session, text, &variable);
		found = !missing && variable.typed;
		err_free(missing);
		if (!found)
			continue;
		*err = type_place_follow(session, name + (dot - text),
					 &variable.place);
		if (!*err)
			*err = load(session, &variable.place, ret);
	}
	free(text);
	return found;
}

static struct err *untyped(const struct typed_value *of, const char *step)
{
	return err_new(ERR_USAGE,
		       "0x%" PRIx64 " has no type: say "
		       "((struct name *)0x%" PRIx64 ")%s",
		       of->value, of->value, step);
}

static struct err *member_typed(struct session *session,
				const struct expression *node,
				struct typed_value *ret)
{
	struct typed_value of;
	struct err *err = expression_typed(session, node->left, &of);

	if (!err && !of.typed)
		err = untyped(&of, node->name);
	if (!err)
		err = type_place_follow(session, node->name, &of.place);
	return err ? err : load(session, &of.place, ret);
}

static struct err *index_typed(struct session *session,
			       const struct expression *node,
			       struct typed_value *ret)
{
	struct typed_value of;
	uint64_t index;
	struct err *err = expression_typed(session, node->left, &of);

	if (!err && !of.typed)
		err = untyped(&of, "[...]");
	if (!err)
		err = expression_value(session, node->right, &index);
	if (!err)
		err = type_place_index(session, index, &of.place);
	return err ? err : load(session, &of.place, ret);
}

static struct err *cast_typed(struct session *session,
			      const struct expression *node,
			      struct typed_value *ret)
{
	struct types *types;
	struct type *type;
	const char *end;
	uint64_t value;
	struct err *err = session_types(session, &types);

	if (!err)
		err = types_find(types, node->name, &end, &type);
	if (!err && *end)
		err = err_new(ERR_USAGE, "'%s' after the type", end);
	if (!err)
		err = expression_value(session, node->right, &value);
	if (!err)
		*ret = typed_pointer(type, value);
	return err;
}

/* *name is what a variable holds, *pointer what it points to. */
static struct err *read_typed(struct session *session,
			      const struct expression *node,
			      struct typed_value *ret)
{
	struct typed_value of;
	struct err *err = expression_typed(session, node->right, &of);

	if (err)
		return err;
	if (!of.typed || node->size != sizeof(uint64_t)) {
		*ret = (struct typed_value){ 0 };
		return expression_value(session, node, &ret->value);
	}
	if (!of.named)
		err = type_place_dereference(session, &of.place);
	return err ? err : load(session, &of.place, ret);
}

static struct err *address_typed(struct session *session,
				 const struct expression *node,
				 struct typed_value *ret)
{
	struct typed_value of;
	struct types *types;
	struct err *err = expression_typed(session, node->right, &of);

	if (err)
		return err;
	if (!of.typed && node->right->kind == EXPRESSION_NAME) {
		*ret = of; /* a symbol of unknown type: its value */
		return NULL;
	}
	if (!of.typed || of.place.immediate || of.place.bit_size)
		return err_new(ERR_USAGE, "& is for variables and members that "
					  "have an address");
	err = session_types(session, &types);
	if (!err)
		*ret = typed_pointer(type_pointer_to(types, of.place.type),
				     of.place.address);
	return err;
}

struct err *expression_typed(struct session *session,
			     const struct expression *node,
			     struct typed_value *ret)
{
	struct err *err;

	*ret = (struct typed_value){ 0 };
	switch (node->kind) {
	case EXPRESSION_MEMBER:
		return member_typed(session, node, ret);
	case EXPRESSION_INDEX:
		return index_typed(session, node, ret);
	case EXPRESSION_CAST:
		return cast_typed(session, node, ret);
	case EXPRESSION_CALL:
		return function_call(session, node, ret);
	case EXPRESSION_NAME:
		if (strchr(node->name, '.') &&
		    expression_dotted_name(session, node->name, ret, &err))
			return err;
		*ret = (struct typed_value){ 0 };
		return name_typed(session, node->name, ret);
	case EXPRESSION_UNARY:
		if (node->operation == OPERATOR_READ)
			return read_typed(session, node, ret);
		if (node->operation == OPERATOR_ADDRESS)
			return address_typed(session, node, ret);
		/* fall through */
	default:
		return expression_value(session, node, &ret->value);
	}
}
