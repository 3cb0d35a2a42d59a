/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Found when the pages of a large buffer are given back. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(300000);

	drop(p);
	store(p, 100, 'x');
	for (int i = 0; i < 1000; i++)
		drop(make(300000));
	return 0;
}
