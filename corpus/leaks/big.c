/* SPDX-License-Identifier: BSD-2-Clause */
/* Lost buffers too large for any cache, and one that is kept. */
#include "corpus/escape.h"

#include <stdlib.h>

static void *volatile kept;

static NOINLINE void lose_megabytes(void)
{
	escape(malloc(3 << 20));
}

static NOINLINE void lose_just_too_large(void)
{
	escape(malloc(128 * 1024 + 1));
}

static NOINLINE void keep_megabyte(void)
{
	kept = escape(malloc(1 << 20));
}

int main(void)
{
	for (int i = 0; i < times(2); i++)
		lose_megabytes();
	lose_just_too_large();
	keep_megabyte();
	forget();
	return 0;
}
