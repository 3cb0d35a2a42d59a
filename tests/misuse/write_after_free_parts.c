/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Behind the first 4096 bytes, where no whole page was given back: in a buffer
 * of a class, and before and behind the whole pages of a large one. */
#include "tests/misuse/misuse.h"

int main(void)
{
	char *of_class = make(100000), *large = make(1000000);
	char *end = make(1000000);

	drop(of_class);
	drop(large);
	drop(end);
	store(of_class, 60001, 'x');
	store(large, 5000, 'y');
	store(end, 999999, 'z');
	return 0;
}
