/* SPDX-License-Identifier: GPL-3.0-or-later */
/* realloc of what was freed. */
#include "tests/misuse/misuse.h"

static APART char *grow(char *p, size_t size)
{
	p = realloc(p, size);
	KEEP(p);
	return p;
}

int main(void)
{
	char *p = make(24);

	drop(p);
	p = grow(p, 48);
	return 0;
}
