/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people type who know other debuggers, or none. */
#ifndef KDBG_NEWCOMERS_H
#define KDBG_NEWCOMERS_H

#include "kdbg/session.h"

/* A line at the prompt that everybody knows, "help", "help findleaks" or "q",
 * as what it means here; else the line itself. Free it; NULL: no memory. */
char *newcomers_line(const char *line);

/* What there is here in the place of a command of mdb's that kdbg has not;
 * NULL: nothing. */
const char *newcomers_command(const char *name);

/* err of the statement that begins with text, with what was meant in front. */
struct err *newcomers_hint(const struct session *session, const char *text,
			   struct err *err) MUST_USE;

#endif
