/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * With faults injected (mtbf) only calls that may fail do, whatever they ask
 * for, and what fails leaves nothing behind.
 */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

enum { CALLS = 5000, SIZE = 100 };

static struct pool pool;
static pool_cache_t cache;

/* Takes one and gives it back; false: it failed. */
typedef bool use_one(bool sleeps);

static bool use_kmem(bool sleeps)
{
	void *p = kmem_alloc(SIZE, sleeps ? KM_SLEEP : KM_NOSLEEP);

	if (p)
		kmem_free(p, SIZE);
	return p != NULL;
}

static bool use_zeroed(bool sleeps)
{
	char *p = kmem_zalloc(SIZE, sleeps ? KM_SLEEP : KM_NOSLEEP);

	if (!p)
		return false;
	CHECK(p[0] == 0 && p[SIZE - 1] == 0);
	kmem_free(p, SIZE);
	return true;
}

static bool use_large(bool sleeps)
{
	void *p = kmem_alloc(300000, sleeps ? KM_SLEEP : KM_NOSLEEP);

	if (p)
		kmem_free(p, 300000);
	return p != NULL;
}

static bool use_string(bool sleeps)
{
	char *p =
		kmem_strdupsize("a name", NULL, sleeps ? KM_SLEEP : KM_NOSLEEP);

	kmem_strfree(p);
	return p != NULL;
}

static bool use_pool(bool sleeps)
{
	void *p = pool_get(&pool, sleeps ? PR_WAITOK : PR_NOWAIT);

	if (p)
		pool_put(&pool, p);
	return p != NULL;
}

static bool use_cache(bool sleeps)
{
	void *p = pool_cache_get(cache, sleeps ? PR_WAITOK : PR_NOWAIT);

	if (p)
		pool_cache_put(cache, p);
	return p != NULL;
}

static uint64_t living(void)
{
	struct kma_stats stats;

	CHECK(kma_stats(&stats, sizeof(stats)) == 0);
	return stats.buffers_in_use;
}

static void check(use_one *use)
{
	unsigned failed = 0;

	for (int i = 0; i < CALLS; i++) {
		failed += !use(false);
		CHECK(use(true));
	}
	CHECK(failed > 0 && failed < CALLS);
}

int main(void)
{
	use_one *const uses[] = { use_kmem,   use_zeroed, use_large,
				  use_string, use_pool,   use_cache };
	uint64_t before;

	pool_init(&pool, SIZE, 0, 0, 0, "c48pool", NULL, IPL_NONE);
	cache = pool_cache_init(SIZE, 0, 0, 0, "c48cache", NULL, IPL_NONE, NULL,
				NULL, NULL);
	before = living();
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		check(uses[i]);
	CHECK(living() == before);
	pool_cache_destroy(cache);
	pool_destroy(&pool);
	return 0;
}
