/* SPDX-License-Identifier: GPL-3.0-or-later */
/* invalidate destructs what lies in the caches of all threads, and nothing that
 * the client has. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

enum { THREADS = 4, OBJECTS = 100, HELD = 10 };

static pool_cache_t cache;
static int made, unmade;
static int parked[THREADS], go_on;
static void *held[HELD];

static int construct(void *arg, void *object, int flags)
{
	(void)arg, (void)object, (void)flags;
	__atomic_add_fetch(&made, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void destruct(void *arg, void *object)
{
	(void)arg;
	for (int i = 0; i < HELD; i++)
		CHECK(object != held[i]);
	__atomic_add_fetch(&unmade, 1, __ATOMIC_SEQ_CST);
}

static void *park(void *flag)
{
	void *objects[OBJECTS];

	for (int i = 0; i < OBJECTS; i++)
		objects[i] = pool_cache_get(cache, PR_WAITOK);
	for (int i = 0; i < OBJECTS; i++)
		pool_cache_put(cache, objects[i]);
	set_flag(flag);
	wait_for_flag(&go_on);
	return NULL;
}

/* Threads that end while somebody looks into their magazines: few where they
 * are slow. */
enum { ENDING = 6000, ENDING_FEW = 30, BURST = 3 };

static void *park_and_end(void *argument)
{
	void *object = pool_cache_get(cache, PR_WAITOK);

	pool_cache_put(cache, object);
	return argument;
}

static void *invalidate_all_the_time(void *argument)
{
	while (!__atomic_load_n((int *)argument, __ATOMIC_ACQUIRE))
		pool_cache_invalidate(cache);
	return NULL;
}

static void end_while_visited(void)
{
	static int stop;
	pthread_t visitor = start_thread(invalidate_all_the_time, &stop);
	int ending = getenv("KDBG_TEST_SHORT") ? ENDING_FEW : ENDING;

	for (int i = 0; i < ending / BURST; i++) {
		pthread_t threads[BURST];

		for (int each = 0; each < BURST; each++)
			threads[each] = start_thread(park_and_end, NULL);
		for (int each = 0; each < BURST; each++)
			join_thread(threads[each]);
	}
	set_flag(&stop);
	join_thread(visitor);
}

int main(void)
{
	pthread_t threads[THREADS];

	cache = pool_cache_init(64, 0, 0, 0, "c31", NULL, IPL_NONE, construct,
				destruct, NULL);
	for (int i = 0; i < HELD; i++) {
		held[i] = pool_cache_get(cache, PR_WAITOK);
		memset(held[i], 0x42, 64);
	}
	for (int i = 0; i < THREADS; i++)
		threads[i] = start_thread(park, &parked[i]);
	for (int i = 0; i < THREADS; i++)
		wait_for_flag(&parked[i]);
	pool_cache_invalidate(cache);
	CHECK(made - unmade == HELD);
	CHECK(kma_cache_stat(cache->pc_pool.pr_cache, "buf_parked") == 0);
	for (int i = 0; i < HELD; i++)
		for (int at = 0; at < 64; at++)
			CHECK(((unsigned char *)held[i])[at] == 0x42);
	set_flag(&go_on);
	for (int i = 0; i < THREADS; i++)
		join_thread(threads[i]);
	end_while_visited();
	pool_cache_invalidate(cache);
	CHECK(made - unmade == HELD);
	for (int i = 0; i < HELD; i++) {
		void *object = held[i];

		held[i] = NULL;
		pool_cache_put(cache, object);
	}
	pool_cache_destroy(cache);
	return 0;
}
