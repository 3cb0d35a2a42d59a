/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For options.py: tells the tier by what it gives. */
#include "tests/contract/contract.h"

#include <malloc.h>

int main(void)
{
	void *p = malloc(opaque_size(100));

	printf("%zu\n", malloc_usable_size(p));
	free(p);
	return 0;
}
