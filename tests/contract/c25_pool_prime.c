/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Primed items are there when there is no memory left. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

int main(void)
{
	enum { ITEMS = 50 };
	void *items[ITEMS];
	struct pool pool;
	uint64_t total;

	pool_init(&pool, 4000, 0, 0, 0, "c25", NULL, IPL_NONE);
	CHECK(pool_prime(&pool, ITEMS) == 0);
	kma_set_heap_limit(4096);
	for (int i = 0; i < ITEMS; i++)
		CHECK((items[i] = pool_get(&pool, PR_NOWAIT)));
	total = kma_cache_stat(pool.pr_cache, "buf_total");
	kma_set_heap_limit(kma_heap_used() + (1 << 20));
	CHECK(pool_prime(&pool, 10000) == ENOMEM);
	CHECK(kma_cache_stat(pool.pr_cache, "buf_total") > total);
	kma_set_heap_limit(0);
	for (int i = 0; i < ITEMS; i++)
		pool_put(&pool, items[i]);
	CHECK(kma_cache_stat(pool.pr_cache, "buf_total") > total);
	pool_destroy(&pool);
	return 0;
}
