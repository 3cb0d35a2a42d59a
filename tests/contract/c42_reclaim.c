/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who sleeps for memory has reclaim callbacks called, in another thread, and
 * gets what they free. */
#include "tests/contract/limit.h"

#include <kma/illumos.h>

enum { HOARD_MAX = 1000 };

static kmem_cache_t *cache;
static pthread_t sleeper;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the hoard */
static void *hoard[HOARD_MAX];
static int hoarded, reclaims;

static void reclaim(void *private_data)
{
	CHECK(private_data == &hoard);
	CHECK(!pthread_equal(pthread_self(), sleeper));
	pthread_mutex_lock(&lock);
	while (hoarded)
		kmem_cache_free(cache, hoard[--hoarded]);
	reclaims++;
	pthread_mutex_unlock(&lock);
}

int main(void)
{
	void *p;

	sleeper = pthread_self();
	cache = kmem_cache_create("c42", BLOCK, 0, NULL, NULL, reclaim, &hoard,
				  NULL, 0);
	CHECK(cache);
	kma_set_heap_limit(kma_heap_used() + ROOM);
	while (hoarded < HOARD_MAX &&
	       (hoard[hoarded] = kmem_cache_alloc(cache, KM_NOSLEEP)))
		hoarded++;
	CHECK(hoarded > 10 && hoarded < HOARD_MAX);
	/* Nobody else could free anything: the callback does. */
	p = kmem_alloc(8 * BLOCK, KM_SLEEP);
	CHECK(p);
	pthread_mutex_lock(&lock);
	CHECK(reclaims >= 1 && hoarded == 0);
	pthread_mutex_unlock(&lock);
	kmem_free(p, 8 * BLOCK);
	kma_set_heap_limit(0);
	kmem_cache_destroy(cache);
	return 0;
}
