/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The C library is to grow what new[] allocated. */
#include "tests/misuse/misuse.h"

#include <cstdio>

int main()
{
	size_t size = 4;
	char *p = new char[size], text[] = "a line that is longer\n";
	FILE *file = fmemopen(text, sizeof(text), "r");

	KEEP(p);
	if (!file || getline(&p, &size, file) < 0)
		return 1;
	free(p);
	fclose(file);
	return 0;
}
