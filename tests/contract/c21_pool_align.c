/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Items lie as align and offset say. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

enum { ITEMS = 5000 };

static void check(size_t size, unsigned align, unsigned offset)
{
	static unsigned char *items[ITEMS];
	struct pool pool;

	pool_init(&pool, size, align, offset, 0, "c21", NULL, IPL_NONE);
	for (int i = 0; i < ITEMS; i++) {
		items[i] = pool_get(&pool, PR_WAITOK);
		CHECK(((uintptr_t)items[i] + offset) % align == 0);
		memset(items[i], i & 0xff, size);
	}
	for (int i = 0; i < ITEMS; i++) {
		CHECK(items[i][0] == (i & 0xff));
		CHECK(items[i][size - 1] == (i & 0xff));
		pool_put(&pool, items[i]);
	}
	CHECK(pool_chk(&pool, "c21") == 0);
	pool_destroy(&pool);
}

int main(void)
{
	check(24, 64, 8);
	check(24, 8, 4);
	check(100, 16, 0);
	check(1, 8, 0);
	check(192, 128, 64);
	return 0;
}
