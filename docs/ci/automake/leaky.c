/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

static void *volatile kept;

int main(void)
{
	kept = malloc(10);
	kept = malloc(20); /* the first is lost */
	return 0;
}
