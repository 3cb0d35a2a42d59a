/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A child of a fork, made while other threads allocate, can allocate, free,
 * sleep and be woken; and its guards fault. */
#include "tests/contract/limit.h"

#include <kma/netbsd.h>

enum { THREADS = 3, FORKS = 40 };

static pool_cache_t cache;
static int stop;

static void *churn(void *argument)
{
	(void)argument;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		void *p = kmem_alloc(500, KM_SLEEP);
		void *object = pool_cache_get(cache, PR_WAITOK);

		pool_cache_put(cache, object);
		kmem_free(p, 500);
	}
	return NULL;
}

static void *free_soon(void *argument)
{
	(void)argument;
	sleep_ms(30);
	limit_give_back();
	limit_give_back();
	return NULL;
}

static void be_child(void)
{
	pthread_t thread;
	void *p;

	for (int i = 0; i < 1000; i++) {
		kmem_free(kmem_alloc(500, KM_SLEEP), 500);
		pool_cache_put(cache, pool_cache_get(cache, PR_WAITOK));
	}
	pool_cache_invalidate(cache);
	limit_use_up();
	thread = start_thread(free_soon, NULL);
	p = kmem_alloc(BLOCK, KM_SLEEP);
	CHECK(p);
	kmem_free(p, BLOCK);
	join_thread(thread);
	limit_end();
	_exit(0);
}

int main(void)
{
	pthread_t threads[THREADS];

	cache = pool_cache_init(200, 0, 0, 0, "c47", NULL, IPL_NONE, NULL, NULL,
				NULL);
	for (int i = 0; i < THREADS; i++)
		threads[i] = start_thread(churn, NULL);
	for (int i = 0; i < FORKS; i++) {
		pid_t child = fork();
		int status;

		CHECK(child >= 0);
		if (child == 0)
			be_child();
		CHECK(waitpid(child, &status, 0) == child);
		if (status)
			dprintf(2, "the child ended with %#x\n",
				(unsigned)status);
		CHECK(status == 0);
	}
	set_flag(&stop);
	for (int i = 0; i < THREADS; i++)
		join_thread(threads[i]);
	pool_cache_destroy(cache);
	return 0;
}
