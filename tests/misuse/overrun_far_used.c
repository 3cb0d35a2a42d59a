/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Beyond the redzone, into memory that is then handed out for the first time.
 */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *p = make(24);

	store(p, 100, 'x');
	for (int i = 0; i < 10000; i++)
		make(24);
	return 0;
}
