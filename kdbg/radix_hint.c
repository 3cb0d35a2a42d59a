/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/radix_hint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool radix_hint(const struct session *session, uint64_t address,
		char text[RADIX_HINT_SIZE])
{
	char digits[24];

	if (session->radix != 16 || address < 0x10 || address > UINT32_MAX)
		return false;
	snprintf(digits, sizeof(digits), "%" PRIx64, address);
	if (digits[strspn(digits, "0123456789")])
		return false;
	snprintf(text, RADIX_HINT_SIZE,
		 "%s was read as hexadecimal, decimal is 0t%s", digits, digits);
	return true;
}

struct err *radix_hint_error(const struct session *session, struct err *err,
			     uint64_t address)
{
	char text[RADIX_HINT_SIZE];

	if (!err || err_code(err) != ERR_NOT_FOUND ||
	    !radix_hint(session, address, text))
		return err;
	return err_wrap(err, "%s", text);
}
