/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines into statements (syntax.h).
 *
 * Precedence, low to high: || ; && ; | ; ^ ; & ; == != ; < <= > >= ; << >> ;
 * + - ; * % # ; unary. All binary operators group to the left. Comparisons
 * need parentheses or $[ ], for outside "<" is a variable and ">" assigns.
 *
 * A "|" is a pipe where a verb follows it, else the operator "or":
 *
 *	1|2=X			3
 *	main | ::whatis		a pipe
 *	(1|2) | =X		both
 */
#ifndef KDBG_PARSER_H
#define KDBG_PARSER_H

#include "kdbg/arena.h"
#include "kdbg/syntax.h"

#include "dumpfmt/err.h"

struct source {
	const char *text;
	size_t at;       /* where the next statement begins */
	unsigned radix;  /* of numbers without a prefix */
	struct span bad; /* after an error: the token it is about */
};

/* The next statement of the source; *ret is NULL at its end. After an error,
 * source->at is at the next line. */
struct err *parse_statement(struct source *source, struct arena *arena,
			    const struct statement **ret) MUST_USE;

/* All of the source as one expression; comparisons need no parentheses. */
struct err *parse_expression(struct source *source, struct arena *arena,
			     const struct expression **ret) MUST_USE;

#endif
