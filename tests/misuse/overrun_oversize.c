/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A buffer of pages of its own. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(1000001);

	store(p, 1000001, 'x');
	drop(p);
	return 0;
}
