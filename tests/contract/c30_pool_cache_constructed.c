/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An object that was put is got again as it was constructed; at the tiers that
 * fill what is free, it is constructed again. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

static int made, unmade;

static int construct(void *arg, void *object, int flags)
{
	(void)arg, (void)flags;
	memset(object, 0x3c, 100);
	made++;
	return 0;
}

static void destruct(void *arg, void *object)
{
	(void)arg;
	CHECK(*(unsigned char *)object == 0x3c);
	unmade++;
}

int main(void)
{
	bool is_filled = tier_is("audit") || tier_is("guard");
	pool_cache_t cache = pool_cache_init(
		100, 0, 0, 0, "c30", NULL, IPL_NONE, construct, destruct, NULL);
	int before;
	void *object;

	for (int i = 0; i < 1000; i++) {
		unsigned char *p = pool_cache_get(cache, PR_WAITOK);

		for (int at = 0; at < 100; at++)
			CHECK(p[at] == 0x3c);
		pool_cache_put(cache, p);
	}
	CHECK(made == (is_filled ? 1000 : 1));
	CHECK(unmade == (is_filled ? 1000 : 0));
	object = pool_cache_get(cache, PR_WAITOK);
	before = unmade;
	pool_cache_destruct_object(cache, object);
	CHECK(unmade == before + 1);
	pool_cache_destroy(cache);
	CHECK(made == unmade);
	return 0;
}
