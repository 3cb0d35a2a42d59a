/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Before a buffer of whole pages: no guard bytes lie there that a free sees. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(8192);

	store(p, -1, 'x');
	drop(p);
	return 0;
}
