/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Past the end where guards are before buffers: the page there is nobody's. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(1 << 20);

	store(p, 1 << 20, 'x');
	drop(p);
	return 0;
}
