/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which commands tell of the same things. */
#ifndef KDBG_DCMDS_SEE_ALSO_H
#define KDBG_DCMDS_SEE_ALSO_H

#include <stddef.h>

/* Names of commands with blanks between, the i-th group of them; NULL: there
 * are fewer. */
const char *see_also_group(size_t i);

/* "::a ::b": what the groups of this command name besides. Always terminated,
 * "" where it is in none. */
void see_also(const char *name, char *buffer, size_t size);

#endif
