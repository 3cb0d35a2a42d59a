/* SPDX-License-Identifier: BSD-2-Clause */
/* Held only by a pointer into the middle: possible, and no definite leak. A
 * second one is really lost. */
#include "corpus/escape.h"

#include <stdlib.h>

static char *volatile middle;

static NOINLINE void keep_middle(void)
{
	middle = (char *)escape(malloc(300)) + 100;
}

static NOINLINE void lose(void)
{
	escape(malloc(300));
}

int main(void)
{
	keep_middle();
	lose();
	forget();
	return 0;
}
