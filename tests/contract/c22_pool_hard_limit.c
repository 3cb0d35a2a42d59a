/* SPDX-License-Identifier: GPL-3.0-or-later */
/* At the hard limit: NULL, or NULL at once, or sleep until a put. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

enum { LIMIT = 10 };

static struct pool pool;

static void *waiting(void *argument)
{
	(void)argument;
	return pool_get(&pool, PR_WAITOK);
}

int main(void)
{
	void *items[LIMIT], *item;
	pthread_t thread;

	pool_init(&pool, 100, 0, 0, 0, "c22", NULL, IPL_NONE);
	pool_sethardlimit(&pool, LIMIT, NULL, 0);
	for (int i = 0; i < LIMIT; i++)
		CHECK((items[i] = pool_get(&pool, PR_NOWAIT)));
	CHECK(!pool_get(&pool, PR_NOWAIT));
	CHECK(kma_cache_stat(pool.pr_cache, "alloc_fail") == 1);
	CHECK(!pool_get(&pool, PR_WAITOK | PR_LIMITFAIL));
	CHECK(kma_cache_stat(pool.pr_cache, "alloc_fail") == 2);
	thread = start_thread(waiting, NULL);
	while (kma_cache_stat(pool.pr_cache, "wait") == 0)
		sleep_ms(1);
	sleep_ms(50);
	CHECK(kma_cache_stat(pool.pr_cache, "buf_inuse") == LIMIT);
	pool_put(&pool, items[0]);
	item = join_thread(thread);
	CHECK(item);
	items[0] = item;
	for (int i = 0; i < LIMIT; i++)
		pool_put(&pool, items[i]);
	pool_destroy(&pool);
	return 0;
}
