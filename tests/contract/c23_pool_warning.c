/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The warning at the limit: once in ratecap seconds, and not when sleeping. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

static struct pool pool;

static void fail_often(void *argument)
{
	(void)argument;
	for (int i = 0; i < 100; i++)
		CHECK(!pool_get(&pool, PR_NOWAIT));
}

static void *put_later(void *item)
{
	while (kma_cache_stat(pool.pr_cache, "wait") == 0)
		sleep_ms(1);
	pool_put(&pool, item);
	return NULL;
}

static void *taken;

static void sleep_at_limit(void *argument)
{
	pthread_t thread = start_thread(put_later, taken);

	(void)argument;
	CHECK(pool_get(&pool, PR_WAITOK));
	join_thread(thread);
}

static unsigned count_lines(const struct outcome *outcome, const char *text)
{
	unsigned count = 0;

	for (const char *at = outcome->text; (at = strstr(at, text)); at++)
		count++;
	return count;
}

int main(void)
{
	pool_init(&pool, 100, 0, 0, 0, "c23", NULL, IPL_NONE);
	pool_sethardlimit(&pool, 1, "c23: at the limit", 3600);
	CHECK((taken = pool_get(&pool, PR_NOWAIT)));
	CHECK(count_lines(run_child(fail_often, NULL), "c23: at the limit") ==
	      1);
	CHECK(count_lines(run_child(sleep_at_limit, NULL), "c23: at") == 0);
	return 0;
}
