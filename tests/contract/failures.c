/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Under KMA_DEBUG=mtbf=N: prints which of 2000 calls of one place failed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	static char line[20000];
	int used = 0;

	for (int i = 0; i < 2000; i++) {
		void *volatile p = malloc(100);

		if (!p && errno == ENOMEM)
			used += sprintf(line + used, " %d", i);
		free(p);
	}
	fputs(line, stderr);
	return 0;
}
