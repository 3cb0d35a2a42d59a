/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Puts an item twice, and is aborted for it. Without symbols. */
#include <kma/netbsd.h>

int main(void)
{
	pool_cache_t cache = pool_cache_init(100, 0, 0, 0, "c50cache", NULL,
					     IPL_NONE, NULL, NULL, NULL);
	void *object = pool_cache_get(cache, PR_WAITOK);

	pool_cache_put(cache, object);
	pool_cache_put(cache, object);
	return 0;
}
