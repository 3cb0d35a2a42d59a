/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Far beyond what is filled, in a buffer that is never used again. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(1000000);

	store(p, 500000, 'y');
	drop(p);
	store(p, 700001, 'x');
	return 0;
}
