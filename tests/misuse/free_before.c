/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a header would be that the buffer does not have. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(100);

	drop(p - 16);
	return 0;
}
