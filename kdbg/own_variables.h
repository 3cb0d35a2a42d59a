/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Variables that nobody sets: what was last formatted (0), the count a macro
 * was given (9), where the program's data begins (b) and how long it is (d),
 * its entry (e), the first word of its file (m), how long its code is (t), and
 * the representative thread and its registers. A variable that is set hides one
 * of these.
 */
#ifndef KDBG_OWN_VARIABLES_H
#define KDBG_OWN_VARIABLES_H

#include "kdbg/session.h"

struct dump_thread;

/* False: there is none of that name, or the target does not tell. */
bool own_variable(const struct session *session, const char *name,
		  uint64_t *ret);

/* Each that has a value now. */
void own_variables_each(const struct session *session,
			void (*each)(void *context, const char *name,
				     uint64_t value),
			void *context);

/* The thread that <thread names: the one that took the signal, else the first;
 * NULL: the target has none. */
const struct dump_thread *representative_thread(const struct session *session);

#endif
