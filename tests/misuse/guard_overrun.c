/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libc writes past the end of a buffer, into the guard. */
#include "tests/misuse/misuse.h"

#include <string.h>

static APART void fill(char *p, size_t size)
{
	memset(p, 'x', size);
	KEEP(p);
}

int main(void)
{
	char *p = make(4000);

	fill(p, 4000);
	fill(p, 4001);
	return 0;
}
