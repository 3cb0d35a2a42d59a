/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/misuse/misuse.h"

static APART char *grow(char *p)
{
	p = realloc(p, 300);
	KEEP(p);
	return p;
}

int main(void)
{
	char *p = make(100);

	grow(p + 32);
	return 0;
}
