/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One byte before the buffer. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(24);

	store(p, -1, 'x');
	drop(p);
	return 0;
}
