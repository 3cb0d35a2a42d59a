/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Again after 5000 others. */
#include "tests/misuse/misuse.h"

static APART void drop_again(void *p)
{
	free(p);
	KEEP(p);
}

static APART void churn(void)
{
	static char *others[5000];

	for (int i = 0; i < 5000; i++)
		others[i] = make(24);
	for (int i = 0; i < 5000; i++)
		drop(others[i]);
}

int main(void)
{
	char *p = make(24);

	drop(p);
	churn();
	drop_again(p);
	return 0;
}
