/* SPDX-License-Identifier: GPL-3.0-or-later */
/* No address of anything. */
#include "tests/misuse/misuse.h"

int main(void)
{
	void *p = (void *)0x123456780;

	KEEP(p);
	drop(p);
	return 0;
}
