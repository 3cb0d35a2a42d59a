/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The drain hook is asked at the limit, once and without a lock. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

static struct pool pool;
static void *spare;
static int asked;

static void drain(void *arg, int flags)
{
	CHECK(arg == &spare && flags == PR_NOWAIT);
	asked++;
	if (spare)
		pool_put(&pool, spare);
	spare = NULL;
}

static void set_again(void *argument)
{
	(void)argument;
	pool_set_drain_hook(&pool, drain, NULL);
}

int main(void)
{
	void *item;

	pool_init(&pool, 100, 0, 0, 0, "c24", NULL, IPL_NONE);
	pool_sethardlimit(&pool, 1, NULL, 0);
	pool_set_drain_hook(&pool, drain, &spare);
	CHECK((spare = pool_get(&pool, PR_NOWAIT)));
	CHECK((item = pool_get(&pool, PR_NOWAIT)));
	CHECK(asked == 1);
	CHECK(!pool_get(&pool, PR_NOWAIT));
	CHECK(asked == 2);
	EXPECT_REPORT(set_again, NULL, "BUSY", NULL);
	pool_put(&pool, item);
	pool_destroy(&pool);
	return 0;
}
