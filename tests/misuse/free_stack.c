/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An address on the stack. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char local[64];
	void *p = local;

	KEEP(p);
	drop(p);
	return 0;
}
