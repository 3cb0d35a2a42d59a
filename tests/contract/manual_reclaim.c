/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who sleeps for the heap gets what others keep without need, with nobody
 * freeing anything: empty pages of a pool, objects in a magazine that must be
 * destructed, what only a drain hook gives.
 */
#include "tests/contract/limit.h"

#include <kma/netbsd.h>
#include <sched.h>

/* A slab for blocks of that size, of eight, is to fit in what they take. */
enum { SIZE = 4000, COUNT = 400 };

static void *objects[COUNT];
static unsigned destructed;

/* All there is for the heap is taken; one more can be had. */
static void expect_relief(void)
{
	void *p;

	limit_use_up();
	p = kmem_alloc(BLOCK, KM_SLEEP);
	CHECK(p);
	kmem_free(p, BLOCK);
	limit_end();
}

static void pages_of_a_pool(void)
{
	struct pool pool;

	pool_init(&pool, SIZE, 0, 0, 0, "pages", NULL, IPL_NONE);
	for (int i = 0; i < COUNT; i++)
		objects[i] = pool_get(&pool, PR_WAITOK);
	for (int i = 0; i < COUNT; i++)
		pool_put(&pool, objects[i]);
	expect_relief();
	pool_destroy(&pool);
}

static int construct(void *arg, void *object, int flags)
{
	(void)arg, (void)object, (void)flags;
	return 0;
}

static void destruct(void *arg, void *object)
{
	(void)arg, (void)object;
	__atomic_add_fetch(&destructed, 1, __ATOMIC_RELAXED);
}

static void objects_in_magazines(void)
{
	pool_cache_t cache =
		pool_cache_init(SIZE, 0, 0, 0, "parked", NULL, IPL_NONE,
				construct, destruct, NULL);

	for (int i = 0; i < COUNT; i++)
		objects[i] = pool_cache_get(cache, PR_WAITOK);
	for (int i = 0; i < COUNT; i++)
		pool_cache_put(cache, objects[i]);
	expect_relief();
	/* Who sleeps goes on with the first pages that will do, and the others
	 * are still on their way. */
	CHECK(__atomic_load_n(&destructed, __ATOMIC_RELAXED) >= BLOCK / SIZE);
	pool_cache_destroy(cache);
	CHECK(__atomic_load_n(&destructed, __ATOMIC_RELAXED) == COUNT);
}

static struct pool hoard;

/* In a thread of the library's, which is at it when the first pages are had. */
static void give_back(void *arg, int flags)
{
	unsigned *kept = arg;
	unsigned left = __atomic_load_n(kept, __ATOMIC_ACQUIRE);

	(void)flags;
	for (unsigned i = left; i-- > 0;)
		pool_put(&hoard, objects[i]);
	__atomic_store_n(kept, 0, __ATOMIC_RELEASE);
}

static void what_a_hook_gives(void)
{
	static unsigned kept;

	pool_init(&hoard, SIZE, 0, 0, 0, "hoard", NULL, IPL_NONE);
	pool_set_drain_hook(&hoard, give_back, &kept);
	for (kept = 0; kept < COUNT; kept++)
		objects[kept] = pool_get(&hoard, PR_WAITOK);
	expect_relief();
	while (__atomic_load_n(&kept, __ATOMIC_ACQUIRE))
		sched_yield();
	pool_destroy(&hoard);
}

int main(void)
{
	pages_of_a_pool();
	objects_in_magazines();
	what_a_hook_gives();
	return 0;
}
