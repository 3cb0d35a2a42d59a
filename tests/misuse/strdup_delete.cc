/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the C library allocated for the program, deleted as if by new[]. */
#include "tests/misuse/misuse.h"

#include <cstring>

int main()
{
	char *p = strdup("of malloc, in libc");

	KEEP(p);
	delete[] p;
	return 0;
}
