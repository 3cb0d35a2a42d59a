/* SPDX-License-Identifier: GPL-3.0-or-later */
/* No byte of a guard is one that a program writes by mistake every day: a
 * terminator, a letter, a small number. */
#include "tests/contract/contract.h"

enum { BUFFERS = 1000, SIZE = 21, BEFORE = 8, AFTER = 11 };

int main(void)
{
	for (int i = 0; i < BUFFERS; i++) {
		unsigned char *p = opaque(malloc(SIZE));

		CHECK(p);
		for (int j = -BEFORE; j < 0; j++)
			CHECK(p[j] >= 0x80);
		for (int j = SIZE; j < SIZE + AFTER; j++)
			CHECK(p[j] >= 0x80);
	}
	return 0;
}
