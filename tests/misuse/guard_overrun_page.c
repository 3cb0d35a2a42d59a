/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Past a buffer of whole pages, where guards are before buffers. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(8192);

	store(p, 8192, 'x');
	drop(p);
	return 0;
}
