/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a target was made, in words. */
#ifndef KDBG_STATUS_REASON_H
#define KDBG_STATUS_REASON_H

#include "kdbg/session.h"
#include "kdbg/target.h"

/* "SIGSEGV (no mapping there), thread 12 (worker)" and the like. */
void status_reason(const struct target *target, char *buffer, size_t size);

/* The address that a fatal signal is about, and what lies there. False: it is
 * about none. */
bool status_fault(struct session *session, char *buffer, size_t size);

/* What its signal's code says; NULL: not known. */
const char *status_code_name(const struct dump_process *process);

/* The code that was running. False: not known. */
bool status_where(struct session *session, char *buffer, size_t size);

#endif
