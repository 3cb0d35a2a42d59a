/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An object of 64 bytes taken and given back, again and again, through one of
 * libkma's interfaces.
 *
 *	kernel malloc|kmem|pool_cache|pool COUNT
 */
#include "tests/bench/bench.h"

#include <kma/netbsd.h>

enum { SIZE = 64 };

static unsigned long count;
static struct pool pool;
static pool_cache_t cache;

static void with_malloc(unsigned index)
{
	(void)index;
	for (unsigned long i = 0; i < count; i++)
		free(bench_touch(malloc(SIZE)));
}

static void with_kmem(unsigned index)
{
	(void)index;
	for (unsigned long i = 0; i < count; i++)
		kmem_free(bench_touch(kmem_alloc(SIZE, KM_SLEEP)), SIZE);
}

static void with_pool_cache(unsigned index)
{
	(void)index;
	for (unsigned long i = 0; i < count; i++)
		pool_cache_put(cache,
			       bench_touch(pool_cache_get(cache, PR_WAITOK)));
}

static void with_pool(unsigned index)
{
	(void)index;
	for (unsigned long i = 0; i < count; i++)
		pool_put(&pool, bench_touch(pool_get(&pool, PR_WAITOK)));
}

static int construct(void *arg, void *object, int flags)
{
	(void)arg;
	(void)flags;
	memset(object, 0, SIZE);
	return 0;
}

static void (*load_named(const char *name))(unsigned index)
{
	static const struct {
		const char *name;
		void (*load)(unsigned index);
	} loads[] = {
		{ "malloc", with_malloc },
		{ "kmem", with_kmem },
		{ "pool_cache", with_pool_cache },
		{ "pool", with_pool },
	};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
		if (strcmp(loads[i].name, name) == 0)
			return loads[i].load;
	fprintf(stderr, "no load %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	pool_init(&pool, SIZE, 0, 0, 0, "benchpl", NULL, IPL_NONE);
	cache = pool_cache_init(SIZE, 0, 0, 0, "benchpc", NULL, IPL_NONE,
				construct, NULL, NULL);
	count = bench_argument(argv, argc, 2, 10000000);
	bench_run(1, count, load_named(argc > 1 ? argv[1] : "malloc"));
	return 0;
}
