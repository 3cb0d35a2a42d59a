/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/number_text.h"

#include <string.h>

void number_in_radix(uint64_t value, unsigned radix,
		     char text[NUMBER_TEXT_SIZE])
{
	char digits[NUMBER_TEXT_SIZE];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] =
			"0123456789abcdefghijklmnopqrstuvwxyz"[value % radix];
		value /= radix;
	} while (value);
	memcpy(text, digits + at, sizeof(digits) - at);
}
