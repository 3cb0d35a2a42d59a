/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A read through a stale pointer, to a buffer freed a thousand frees ago. */
#include "tests/misuse/misuse.h"

static APART char look(const char *p)
{
	char c = p[10];

	KEEP(p);
	return c;
}

int main(void)
{
	char *p = make(100);

	p[10] = 0;
	drop(p);
	for (int i = 0; i < 1000; i++)
		drop(make(100));
	return look(p);
}
