/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which commands tell of the same things. */
#ifndef KDBG_DCMDS_SEE_ALSO_H
#define KDBG_DCMDS_SEE_ALSO_H

#include <stdbool.h>
#include <stddef.h>

/* What belongs together; a command may be in several. */
struct see_also_group {
	const char *title;
	const char *names; /* with blanks between */
};

/* The i-th, in the order in which a person wants to see them; NULL: there are
 * fewer. */
const struct see_also_group *see_also_group(size_t i);

/* Is a command one of a group's names? */
bool see_also_names(const char *names, const char *command);

/* "::a ::b": what the groups of this command name besides. Always terminated,
 * "" where it is in none. */
void see_also(const char *name, char *buffer, size_t size);

#endif
