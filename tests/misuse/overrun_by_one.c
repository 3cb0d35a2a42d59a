/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A string's terminator, one byte too far. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(24);

	store(p, 24, '\0');
	drop(p);
	return 0;
}
