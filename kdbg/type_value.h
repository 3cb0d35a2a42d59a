/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a place holds, as text: one line, of one type. */
#ifndef KDBG_TYPE_VALUE_H
#define KDBG_TYPE_VALUE_H

#include "kdbg/type_place.h"

#include <stdio.h>

struct type_value_options {
	bool decimal;        /* integers */
	bool bare_text;      /* an array of char without its brackets */
	bool no_symbols;     /* pointers as numbers alone */
	uint64_t characters; /* of a string at most */
	uint64_t elements;   /* of an array at most */
};

/* Scalars, strings and what is opaque. An error: it could not be read. */
struct err *type_value_put(struct session *session,
			   const struct type_place *place,
			   const struct type_value_options *options,
			   FILE *stream) MUST_USE;

/* Is it shown on one line: no aggregate, no array of such? */
bool type_value_is_line(struct type *type);

/* The enumerator of a value, or those it is made of: "A|B". False: none. */
bool type_value_enumerator(struct type *type, int64_t value, char *buffer,
			   size_t size);

#endif
