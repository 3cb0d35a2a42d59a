/* SPDX-License-Identifier: BSD-2-Clause */
/* Two lost buffers hold a third: neither alone retains it. */
#include "corpus/escape.h"

#include <stdlib.h>

static NOINLINE void *make_shared(void)
{
	return escape(malloc(500));
}

static NOINLINE void lose_left(void *shared)
{
	void **left = escape(malloc(64));

	left[0] = shared;
	escape(left);
}

static NOINLINE void lose_right(void *shared)
{
	void **right = escape(malloc(32));

	right[0] = shared;
	escape(right);
}

static NOINLINE void lose_both(void)
{
	void *shared = make_shared();

	lose_left(shared);
	lose_right(shared);
}

int main(void)
{
	lose_both();
	forget();
	return 0;
}
