/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How far a long command is, on a terminal's last line. */
#ifndef KDBG_PROGRESS_H
#define KDBG_PROGRESS_H

#include "kdbg/session.h"

/* session->progress where standard error is a terminal. */
void progress_show(struct session *session, const char *what, uint64_t done,
		   uint64_t total);

/* Before anything else is printed. */
void progress_clear(struct session *session);

#endif
