/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Found when the buffer is to be used again. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(24);

	drop(p);
	store(p, 8, 'x');
	for (int i = 0; i < 100000; i++)
		drop(make_another(24));
	return 0;
}
