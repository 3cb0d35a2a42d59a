/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Beyond the high water mark an empty slab goes at once; without one it stays
 * until it has been empty for a while and is reclaimed. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

enum { ITEMS = 200 };

static uint64_t fill_and_empty(struct pool *pool)
{
	void *items[ITEMS];

	for (int i = 0; i < ITEMS; i++)
		CHECK((items[i] = pool_get(pool, PR_WAITOK)));
	CHECK(kma_cache_stat(pool->pr_cache, "slab_count") > 2);
	for (int i = 0; i < ITEMS; i++)
		pool_put(pool, items[i]);
	return kma_cache_stat(pool->pr_cache, "slab_count");
}

int main(void)
{
	struct pool pool;

	pool_init(&pool, 4000, 0, 0, 0, "c27", NULL, IPL_NONE);
	CHECK(fill_and_empty(&pool) > 2);
	pool_inactive_time = 3600;
	CHECK(!pool_reclaim(&pool));
	pool_inactive_time = 0;
	CHECK(pool_reclaim(&pool));
	CHECK(kma_cache_stat(pool.pr_cache, "slab_count") == 0);
	pool_sethiwat(&pool, 0);
	CHECK(fill_and_empty(&pool) == 0);
	pool_destroy(&pool);
	return 0;
}
