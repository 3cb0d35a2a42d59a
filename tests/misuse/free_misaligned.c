/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An address that no malloc ever returns. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(100);

	drop(p + 1);
	return 0;
}
