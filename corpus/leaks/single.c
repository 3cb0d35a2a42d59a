/* SPDX-License-Identifier: BSD-2-Clause */
/* Lost buffers of several sizes, each from a function of its own. */
#include "corpus/escape.h"

#include <stdlib.h>

static NOINLINE void lose_byte(void)
{
	escape(malloc(1));
}

static NOINLINE void lose_small(void)
{
	escape(malloc(24));
}

static NOINLINE void lose_zeroed(void)
{
	escape(calloc(5, 20));
}

static NOINLINE void lose_grown(void)
{
	escape(realloc(escape(malloc(10)), 3000));
}

static NOINLINE void lose_page(void)
{
	escape(aligned_alloc(4096, 4096));
}

static NOINLINE void lose_largest_cached(void)
{
	escape(malloc(100000));
}

int main(void)
{
	lose_byte();
	for (int i = 0; i < times(7); i++)
		lose_small();
	lose_zeroed();
	lose_grown();
	lose_page();
	lose_largest_cached();
	forget();
	return 0;
}
