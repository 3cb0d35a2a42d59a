/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A library of two calls, for programs that close it. */
#include "tests/misuse/misuse.h"

char *closed_make(size_t size);
void closed_drop(void *p);

char *closed_make(size_t size)
{
	char *p = make(size);

	KEEP(p);
	return p;
}

void closed_drop(void *p)
{
	drop(p);
	KEEP(p);
}
