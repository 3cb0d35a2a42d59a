/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A child of a fork, made while other threads allocate, can allocate, free,
 * sleep and be woken; and its guards fault. */
#include "tests/contract/limit.h"

#include <kma/netbsd.h>

enum { THREADS = 3, FORKS = 40 };

static pool_cache_t cache;
static percpu_t *counters;
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

/* What is on a list that fork() walks comes and goes meanwhile. */
static void use_lists(void)
{
	vmem_t *arena = vmem_create("c47", 0, 64, 1, NULL, NULL, NULL, 8,
				    VM_SLEEP, IPL_NONE);
	uint64_t *own = percpu_getref(counters);
	vmem_addr_t number;

	(*own)++;
	percpu_putref(counters);
	CHECK(vmem_alloc(arena, 1, VM_SLEEP | VM_INSTANTFIT, &number) == 0);
	vmem_free(arena, number, 1);
	vmem_destroy(arena);
}

static void *churn_lists(void *argument)
{
	(void)argument;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		use_lists();
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
	use_lists();
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
	counters = percpu_alloc(sizeof(uint64_t));
	for (int i = 0; i < THREADS; i++)
		threads[i] = start_thread(i == 0 ? churn_lists : churn, NULL);
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
	percpu_free(counters, sizeof(uint64_t));
	return 0;
}
