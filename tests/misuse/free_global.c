/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The address of a variable. */
#include "tests/misuse/misuse.h"

static char global[64];

int main(void)
{
	void *p = global;

	KEEP(p);
	drop(p);
	return 0;
}
