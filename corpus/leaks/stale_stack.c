/* SPDX-License-Identifier: BSD-2-Clause */
/* The pointer lies all over the stack of calls that have returned, where the
 * frames of exit() will be. */
#include "corpus/escape.h"

#include <stdlib.h>

static NOINLINE void spread(void *p)
{
	void *copies[1024];

	for (int i = 0; i < 1024; i++)
		copies[i] = p;
	escape(copies);
}

static NOINLINE void *make(void)
{
	return escape(malloc(300));
}

int main(void)
{
	spread(make());
	return 0;
}
