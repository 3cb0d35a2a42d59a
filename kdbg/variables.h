/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The variables of the language: 64-bit numbers by name, in order of name. */
#ifndef KDBG_VARIABLES_H
#define KDBG_VARIABLES_H

#include "dumpfmt/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct variable {
	char *name;
	uint64_t value;
	bool read_only;
	bool tagged; /* ::typeset -t */
};

struct variables {
	struct variable *items;
	size_t count, capacity;
};

struct err *variables_create(struct variables **ret) MUST_USE;
void variables_destroy(struct variables *variables);

bool variables_get(const struct variables *variables, const char *name,
		   uint64_t *ret);
struct err *variables_set(struct variables *variables, const char *name,
			  uint64_t value) MUST_USE;
/* The variable itself, to the next call; one that is not there gets the value.
 */
struct err *variables_declare(struct variables *variables, const char *name,
			      uint64_t value, struct variable **ret) MUST_USE;
/* False: there was none. */
bool variables_unset(struct variables *variables, const char *name);

#endif
