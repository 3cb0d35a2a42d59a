/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The realloc that comes after an overrun finds it. */
#include "tests/misuse/misuse.h"

static APART char *grow(char *p, size_t size)
{
	p = realloc(p, size);
	KEEP(p);
	return p;
}

int main(void)
{
	char *p = make(40);

	store(p, 40, 'x');
	p = grow(p, 4000);
	return 0;
}
