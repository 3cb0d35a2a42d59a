/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Objects that lie in other threads' magazines do not count against the limit
 * of who needs one. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

enum { LIMIT = 100, PARKED = 90 };

static pool_cache_t cache;
static int parked, go_on;

static void *park(void *argument)
{
	void *objects[PARKED];

	(void)argument;
	for (int i = 0; i < PARKED; i++)
		CHECK((objects[i] = pool_cache_get(cache, PR_NOWAIT)));
	for (int i = 0; i < PARKED; i++)
		pool_cache_put(cache, objects[i]);
	set_flag(&parked);
	wait_for_flag(&go_on);
	return NULL;
}

int main(void)
{
	void *objects[LIMIT];
	pthread_t thread;

	cache = pool_cache_init(64, 0, 0, 0, "c32", NULL, IPL_NONE, NULL, NULL,
				NULL);
	pool_cache_sethardlimit(cache, LIMIT, NULL, 0);
	thread = start_thread(park, NULL);
	wait_for_flag(&parked);
	for (int i = 0; i < LIMIT; i++)
		CHECK((objects[i] = pool_cache_get(cache, PR_NOWAIT)));
	CHECK(!pool_cache_get(cache, PR_NOWAIT));
	for (int i = 0; i < LIMIT; i++)
		pool_cache_put(cache, objects[i]);
	set_flag(&go_on);
	join_thread(thread);
	pool_cache_destroy(cache);
	return 0;
}
