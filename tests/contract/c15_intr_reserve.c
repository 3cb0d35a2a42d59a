/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In a handler there is NULL where there is no memory, never a wait; and what
 * a handler frees is there again for the next call. */
#include "alloc/deferred.h"
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

enum { ITEMS = 2000 };

static struct pool pool;
static void *items[ITEMS];
static volatile int got, failed;

static void take_all(int number)
{
	(void)number;
	KMA_INTR_ENTER();
	while (got < ITEMS && (items[got] = pool_get(&pool, PR_NOWAIT)))
		got++;
	failed = got < ITEMS;
	KMA_INTR_EXIT();
}

static void put_all(int number)
{
	(void)number;
	KMA_INTR_ENTER();
	while (got)
		pool_put(&pool, items[--got]);
	KMA_INTR_EXIT();
}

int main(void)
{
	pool_init(&pool, 64, 0, 0, 0, "c15", NULL, IPL_VM);
	pool_sethardlimit(&pool, 100, NULL, 0);
	CHECK(pool_prime(&pool, 100) == 0);
	signal(SIGUSR1, take_all);
	signal(SIGUSR2, put_all);
	for (int round = 0; round < 100; round++) {
		raise(SIGUSR1);
		CHECK(got == 100 && failed);
		raise(SIGUSR2);
	}
	CHECK(kma_cache_stat(pool.pr_cache, "buf_inuse") == 0);
	CHECK(pool_chk(&pool, "c15") == 0);
	pool_destroy(&pool);
	return 0;
}
