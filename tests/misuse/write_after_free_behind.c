/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Into the redzone of a buffer that was freed, found when it is used again. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(24);

	drop(p);
	store(p, 25, 'x');
	for (int i = 0; i < 100000; i++)
		drop(make_another(24));
	return 0;
}
