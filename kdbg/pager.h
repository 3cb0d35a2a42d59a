/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Output longer than the terminal goes through $PAGER.
 *
 * Output appears at once, as ever, and is kept. Only when more comes than fits
 * is the pager started and given everything from the beginning, so a short
 * answer never waits and a long one can be scrolled from its first line.
 */
#ifndef KDBG_PAGER_H
#define KDBG_PAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct session;
struct sink;

struct pager {
	const bool *wanted; /* may change while output is under way */
	FILE *const *log;   /* has everything too; may be NULL */
	FILE *terminal;
	FILE *stream;  /* what is written here is shown */
	FILE *program; /* the pager, once it runs */
	char *kept;
	size_t kept_size, kept_capacity;
	unsigned rows, columns;
	unsigned line, column; /* where the next character goes */
};

/* Standard output is a terminal with a pager to go with it. */
bool pager_wanted(void);

/* From now on out's text goes through pager, which the caller owns, and into
 * the session's log. Where there is no memory nothing changes. */
void pager_begin(struct pager *pager, const struct session *session,
		 struct sink *out);

/* Wait until the reader has seen enough. False: there is no such program. */
bool pager_end(struct pager *pager, struct sink *out);

#endif
