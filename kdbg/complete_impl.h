/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What complete.c and complete_types.c share. */
#ifndef KDBG_COMPLETE_IMPL_H
#define KDBG_COMPLETE_IMPL_H

#include "kdbg/complete.h"

struct completion {
	struct session *session;
	const char *line;
	size_t start; /* what is found replaces the line from here on */
	const struct completer *completer;
};

/* name could stand from at on; what is between start and at stays. */
void complete_add(const struct completion *completion, size_t at,
		  const char *name);

/* A file whose name or path begins with the text from at on. */
void complete_file(const struct completion *completion, size_t at);

/* A type that begins with the text from at on. */
void complete_type(const struct completion *completion, size_t at);

/* A member, of what the words from first on name, or of the expression that
 * ends the line. False: there is none to have members. */
bool complete_member_of_words(const struct completion *completion,
			      size_t first);
bool complete_member_of_expression(const struct completion *completion);

#endif
