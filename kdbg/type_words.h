/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person writes to name an object: words that begin with a type or a
 * variable and go on with members. */
#ifndef KDBG_TYPE_WORDS_H
#define KDBG_TYPE_WORDS_H

#include "kdbg/type_place.h"

/* A call's words as the object they name: "type [member ...]", or, where the
 * address is a variable's, "[member ...]". *used: words that are not members.
 */
struct err *type_place_of_words(struct session *session, bool has_address,
				uint64_t address, int argc,
				const char *const *argv,
				struct type_place *place, int *used) MUST_USE;

/* The type that words begin with, and how many belong to it. */
struct err *type_of_words(struct session *session, int argc,
			  const char *const *argv, struct type **ret,
			  int *used) MUST_USE;

#endif
