/* SPDX-License-Identifier: GPL-3.0-or-later */
/* More small buffers than may have pages of their own: the last is audited. */
#include "tests/misuse/misuse.h"

enum { MANY = 100 };

int main(void)
{
	char *p = NULL;

	for (int i = 0; i < MANY; i++)
		p = make(24);
	store(p, 24, 'x');
	drop(p);
	return 0;
}
