/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reclaim leaves what the low water mark asks for. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

static uint64_t free_items(struct pool *pool)
{
	return kma_cache_stat(pool->pr_cache, "buf_avail");
}

int main(void)
{
	enum { ITEMS = 500 };
	static void *items[ITEMS];
	struct pool pool;

	pool_inactive_time = 0;
	pool_init(&pool, 4000, 0, 0, 0, "c26", NULL, IPL_NONE);
	pool_setlowat(&pool, 20);
	CHECK(free_items(&pool) >= 20);
	for (int i = 0; i < ITEMS; i++) {
		CHECK((items[i] = pool_get(&pool, PR_WAITOK)));
		CHECK(free_items(&pool) >= 20);
	}
	for (int i = 0; i < ITEMS; i++)
		pool_put(&pool, items[i]);
	CHECK(free_items(&pool) >= ITEMS);
	CHECK(pool_reclaim(&pool));
	CHECK(free_items(&pool) >= 20 && free_items(&pool) < ITEMS);
	pool_destroy(&pool);
	return 0;
}
