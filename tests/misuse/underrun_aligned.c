/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Before a buffer that alignment has moved up. */
#include "tests/misuse/misuse.h"

static APART char *make_aligned(size_t align, size_t size)
{
	char *p = aligned_alloc(align, size);

	KEEP(p);
	return p;
}

int main(void)
{
	char *p = make_aligned(256, 512);

	store(p, -3, 'x');
	drop(p);
	return 0;
}
