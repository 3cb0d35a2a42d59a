/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Beyond the canary, where the buffer before is much smaller than its cell. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p[2] = { make(2790), make(2790) };
	int low = p[0] < p[1] ? 0 : 1;

	store(p[1 - low], -100, 'x');
	drop(p[1 - low]);
	drop(p[low]);
	return 0;
}
