/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Only large buffers have guards. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *small = make(24), *large = make(5000);

	store(small, 24, 'x'); /* not seen */
	store(large, 5008, 'x');
	return 0;
}
