/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The values of expressions: 64-bit, wrapping; division and rounding up are
 * signed. */
#ifndef KDBG_EXPRESSION_H
#define KDBG_EXPRESSION_H

#include "kdbg/session.h"
#include "kdbg/syntax.h"

struct err *expression_value(struct session *session,
			     const struct expression *expression,
			     uint64_t *ret) MUST_USE;

/* A variable, a register of the representative thread, or "thread". */
struct err *session_variable(struct session *session, const char *name,
			     uint64_t *ret) MUST_USE;

/* Why address cannot be read may be that it was meant in decimal: NULL, or the
 * error with a hint. */
struct err *hint_radix(const struct session *session, struct err *err,
		       uint64_t address) MUST_USE;

#endif
