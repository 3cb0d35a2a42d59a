/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The middle of a buffer. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(100);

	drop(p + 32);
	return 0;
}
