/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers as text in any base. */
#ifndef KDBG_NUMBER_TEXT_H
#define KDBG_NUMBER_TEXT_H

#include <stdint.h>

enum { NUMBER_TEXT_SIZE = 65 };

/* radix: 2 to 36. */
void number_in_radix(uint64_t value, unsigned radix,
		     char text[NUMBER_TEXT_SIZE]);

#endif
