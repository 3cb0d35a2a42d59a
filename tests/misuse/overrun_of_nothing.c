/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A store to a buffer that has no bytes. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(0);

	store(p, 0, 'x');
	drop(p);
	return 0;
}
