/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes that belong to nobody: the class has room for them. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(100);

	for (ptrdiff_t i = 103; i < 107; i++)
		store(p, i, 'x');
	drop(p);
	return 0;
}
