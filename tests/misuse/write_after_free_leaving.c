/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Found when the freed buffer leaves quarantine: its pages go to others. */
#include "tests/misuse/misuse.h"

static APART void turn_over(size_t size)
{
	for (int i = 0; i < 1000; i++)
		drop(make(size));
}

int main(void)
{
	char *p = make(200000);

	drop(p);
	store(p, 100, 'x');
	turn_over(300000);
	return 0;
}
