/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Through the redzone into the next buffer, which is freed first. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p[2] = { make(24), make(24) };
	int low = p[0] < p[1] ? 0 : 1;

	for (ptrdiff_t i = 24; i < 50; i++)
		store(p[low], i, 'x');
	drop(p[1 - low]);
	return 0;
}
