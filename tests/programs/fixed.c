/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program at a fixed address that takes malloc's: the address of malloc is
 * then the program's own jump to it, and no sign of a malloc of its own.
 */
#include <stdlib.h>

int main(void)
{
	void *(*volatile allocate)(size_t) = malloc;
	void *volatile lost = allocate(100);

	lost = NULL;
	return lost != NULL;
}
