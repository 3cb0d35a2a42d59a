/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What could stand at the end of a line that is being typed.
 *
 *	::ki			commands
 *	::findleaks -		its options, -- its long ones
 *	::walk kmem_		walkers, and the caches that are walkers too
 *	::print struct fo	types, variables, symbols
 *	::print struct foo a.b	members, also behind -> and [ ]
 *	table[3].ne		members of a variable, or of what is cast
 *	<r			variables and registers
 *
 * What a command's words are, its usage says: "type", "walker", "cache",
 * "command", "variable", "object", "file"; a command can have a list of its
 * own.
 */
#ifndef KDBG_COMPLETE_H
#define KDBG_COMPLETE_H

#include "kdbg/session.h"

struct completer {
	/* Each word that could stand from start on, perhaps more than once. */
	void (*found)(void *context, const char *word);
	void *context;
};

/* line ends at the cursor, and its last word begins at start; what counts as a
 * word is the caller's affair. */
void complete(struct session *session, const char *line, size_t start,
	      const struct completer *completer);

#endif
