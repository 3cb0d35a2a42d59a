/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Types that a person declares in C, for programs without debug information,
 * or in a header the program was built with.
 *
 * struct, union, enum and typedef with all declarators; bitfields; packed and
 * aligned; array bounds and enumerators that are constant expressions, also of
 * names that #define gives a number. Conditional parts of a header are all
 * read: hand over what the preprocessor makes of it (cc -E) where that matters.
 * Functions and variables are passed over. What is declared hides what the
 * program's own debug information calls the same, and later declarations hide
 * earlier ones.
 */
#ifndef KDBG_TYPES_DECLARE_H
#define KDBG_TYPES_DECLARE_H

#include "kdbg/types.h"

/* All of text, or none of it: an error names the line. *count: how many. */
struct err *types_declare(struct types *types, const char *text,
			  size_t *count) MUST_USE;

/* Forget all that was declared; whose types may still be referred to. */
void types_forget_declared(struct types *types);

/* What was declared, in C as it was written, in order; how many texts. */
size_t types_declared_texts(const struct types *types, const char *const **ret);

/* Each declared type, the last first, as "struct foo" or "foo_t". */
void types_each_declared(struct types *types,
			 void (*each)(void *context, const char *name,
				      struct type *type),
			 void *context);

#endif
