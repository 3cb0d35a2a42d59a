/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The values of expressions: 64-bit, wrapping; division, what it leaves, and
 * rounding up are signed.
 *
 * A value has a type only where a member is taken of it (expression_typed.c):
 * mdb's language has none, and everywhere else a number is a number.
 */
#ifndef KDBG_EXPRESSION_H
#define KDBG_EXPRESSION_H

#include "kdbg/session.h"
#include "kdbg/syntax.h"
#include "kdbg/type_place.h"

struct err *expression_value(struct session *session,
			     const struct expression *expression,
			     uint64_t *ret) MUST_USE;

/*
 * The same with what is known of its type. value is what place holds: a number,
 * or where it lies if it is an aggregate. named: the value is the address of
 * place instead, for that is what a variable's name is.
 */
struct typed_value {
	uint64_t value;
	bool typed, named;
	struct type_place place;
};

struct err *expression_typed(struct session *session,
			     const struct expression *expression,
			     struct typed_value *ret) MUST_USE;

/* Is it one whose value has a type whoever asks? */
bool expression_is_typed(const struct expression *expression);

struct typed_value typed_pointer(struct type *pointer, uint64_t address);

/* The value of a name that is a symbol, or a number without a digit first. */
struct err *expression_name(struct session *session, const char *name,
			    uint64_t *ret) MUST_USE;

/* "variable.member" as one name, since a symbol's name may hold dots as well.
 * False: nothing before a dot names a variable of known type. */
bool expression_dotted_name(struct session *session, const char *name,
			    struct typed_value *ret, struct err **err);

/* A variable, a register of the representative thread, or "thread". */
struct err *session_variable(struct session *session, const char *name,
			     uint64_t *ret) MUST_USE;

#endif
