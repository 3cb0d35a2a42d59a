/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every family is live, a thread sleeps at a limit, and the program dumps
 * itself.
 *
 * Usage: families DUMP. Prints addresses that the test asks about.
 */
#include "tests/contract/families.h"
#include "alloc/root.h"
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

enum { ITEMS = 50, CACHED = 40, LIMIT = 5 };

static struct pool pool, limited;

static void *sleeper(void *argument)
{
	(void)argument;
	return pool_get(&limited, PR_WAITOK);
}

int main(int argc, char **argv)
{
	static void *items[ITEMS], *objects[CACHED], *few[LIMIT];
	pool_cache_t cache;
	percpu_t *percpu;
	pthread_t thread;
	void *plain;

	CHECK(argc == 2);
	pool_init(&pool, 100, 0, 0, 0, "fam_pool", NULL, IPL_NONE);
	pool_init(&limited, 64, 0, 0, 0, "fam_limited", NULL, IPL_NONE);
	pool_sethardlimit(&limited, LIMIT, NULL, 0);
	cache = pool_cache_init(120, 0, 0, 0, "fam_cache", NULL, IPL_NONE, NULL,
				NULL, NULL);
	for (int i = 0; i < ITEMS; i++)
		items[i] = pool_get(&pool, PR_WAITOK);
	for (int i = 0; i < CACHED; i++)
		objects[i] = pool_cache_get(cache, PR_WAITOK);
	for (int i = 0; i < CACHED / 2; i++)
		pool_cache_put(cache, objects[i]);
	for (int i = 0; i < LIMIT; i++)
		few[i] = pool_get(&limited, PR_WAITOK);
	percpu = percpu_alloc(24);
	plain = kmem_alloc(777, KM_SLEEP);
	families_bsd();
	families_illumos();
	thread = start_thread(sleeper, NULL);
	while (!__atomic_load_n(&kma_root.waiters, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	printf("%p %p %p %zu\n", items[0], plain, (void *)percpu,
	       kma_heap_used());
	CHECK(kma_dump(argv[1]) == 0);
	pool_put(&limited, few[0]);
	CHECK(join_thread(thread));
	return 0;
}
