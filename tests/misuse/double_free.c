/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Twice, at once. */
#include "tests/misuse/misuse.h"

static APART void drop_again(void *p)
{
	free(p);
	KEEP(p);
}

int main(void)
{
	char *p = make(24);

	drop(p);
	drop_again(p);
	return 0;
}
