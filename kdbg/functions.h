/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The functions of expressions: sizeof(struct foo), bufsize(addr). */
#ifndef KDBG_FUNCTIONS_H
#define KDBG_FUNCTIONS_H

#include "kdbg/expression.h"

/* What an argument is: a function's signature has one of these for each. */
enum function_argument {
	FUNCTION_EXPRESSION = 'e',
	FUNCTION_TYPE = 't',
	FUNCTION_MEMBER = 'm', /* as ::print takes it */
	FUNCTION_STRING = 's',
};

enum { FUNCTION_ARGUMENTS_MAX = 3 };

struct function_value { /* of an argument */
	uint64_t number;
	const char *text;
};

struct function {
	const char *name;
	const char *signature;
	const char *usage;
	const char *help;
	struct err *(*call)(struct session *session,
			    const struct function_value *arguments,
			    struct typed_value *ret);
};

/* All of them, sorted by name. */
size_t functions(const struct function **ret);
const struct function *function_find(const char *name); /* NULL: unknown */

struct err *function_call(struct session *session,
			  const struct expression *call,
			  struct typed_value *ret) MUST_USE;

#endif
