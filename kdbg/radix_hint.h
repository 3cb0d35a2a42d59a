/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A number without a prefix is hexadecimal. Who types a pid, a thread or a size
 * as the manual has it means decimal, and hears of it where the number leads
 * nowhere.
 */
#ifndef KDBG_RADIX_HINT_H
#define KDBG_RADIX_HINT_H

#include "kdbg/session.h"

enum { RADIX_HINT_SIZE = 96 };

/* False: address was not meant in decimal, as it is large or has letters. */
bool radix_hint(const struct session *session, uint64_t address,
		char text[RADIX_HINT_SIZE]);

/* err, that address is not there, with the hint; NULL stays NULL. */
struct err *radix_hint_error(const struct session *session, struct err *err,
			     uint64_t address) MUST_USE;

#endif
