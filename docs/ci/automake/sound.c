/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

int main(void)
{
	free(malloc(10));
	return 0;
}
