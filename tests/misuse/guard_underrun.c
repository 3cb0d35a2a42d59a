/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A read before the start of a buffer, where the guard is at the left. */
#include "tests/misuse/misuse.h"

static APART char look(const char *p)
{
	char c = p[-1];

	KEEP(p);
	return c;
}

int main(void)
{
	return look(make(100));
}
