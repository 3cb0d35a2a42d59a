/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Beyond the redzone, on either side, where no buffer was handed out yet. */
#include "tests/misuse/misuse.h"

static char *first, *large;

int main(void)
{
	first = make(24);
	large = make(3000);
	store(first, 100, 'x');
	store(large, -100, 'x');
	return 0;
}
