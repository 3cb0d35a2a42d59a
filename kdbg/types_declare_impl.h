/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kdbg/types_declare*.c share: the reader of declarations. */
#ifndef KDBG_TYPES_DECLARE_IMPL_H
#define KDBG_TYPES_DECLARE_IMPL_H

#include "kdbg/c_tokens.h"
#include "kdbg/types_declare.h"
#include "kdbg/types_impl.h"
#include "kdbg/types_layout.h"

/* A name for a number: an enumerator, or a #define. */
struct c_constant {
	const char *name;
	size_t length;
	int64_t value;
	const struct c_constant *next;
};

struct declarations {
	struct types *types;
	struct c_tokens tokens;
	struct err *err; /* the first; then everything ends */
	unsigned depth;
	size_t count;
};

/* What an __attribute__ says that changes where things lie. */
struct attributes {
	bool packed;
	uint64_t aligned; /* 0: not said */
};

void declarations_fail(struct declarations *d, const char *fmt, ...)
	PRINTF_LIKE(2, 3);
/* The sign must come; it is taken. */
void declarations_expect(struct declarations *d, const char *sign);
/* Count how deep we are; true: too deep, and that has been told. */
bool declarations_enter(struct declarations *d);

/* The token is a #define: keep what it says, go on. */
void declarations_read_define(struct declarations *d);

int64_t declarations_constant(struct declarations *d);
void declarations_define(struct declarations *d, const char *name,
			 size_t length, int64_t value);

/* "unsigned long", "struct foo { ... }", "foo_t". */
struct type *declarations_specifiers(struct declarations *d,
				     struct attributes *attributes);

/* "*name[4]", "(*name)(int)"; *name is NULL where there is none. */
struct type *declarations_declarator(struct declarations *d, struct type *type,
				     const char **name);

void declarations_attributes(struct declarations *d,
			     struct attributes *attributes);

/* Make a type known by its name. */
void declarations_add(struct declarations *d, const char *name,
		      enum type_name_kind kind, struct type *type);

#endif
