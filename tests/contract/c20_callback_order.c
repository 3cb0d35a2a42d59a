/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each kernel's callbacks get their arguments in its own order. */
#include "tests/contract/kernel.h"

static int private_data;
static void *constructed, *destructed;

#if defined(DIALECT_NETBSD)
#include <kma/netbsd.h>

static int construct(void *arg, void *object, int flags)
{
	CHECK(arg == &private_data && flags == PR_WAITOK);
	constructed = object;
	return 0;
}

static void destruct(void *arg, void *object)
{
	CHECK(arg == &private_data);
	destructed = object;
}

static void *cycle(void)
{
	pool_cache_t cache =
		pool_cache_init(64, 0, 0, 0, "c20", NULL, IPL_NONE, construct,
				destruct, &private_data);
	void *object = pool_cache_get(cache, PR_WAITOK);

	pool_cache_put(cache, object);
	pool_cache_destroy(cache);
	return object;
}
#else
#include <kma/illumos.h>

static int construct(void *object, void *arg, int flags)
{
	CHECK(arg == &private_data && flags == KM_SLEEP);
	constructed = object;
	return 0;
}

static void destruct(void *object, void *arg)
{
	CHECK(arg == &private_data);
	destructed = object;
}

static void *cycle(void)
{
	kmem_cache_t *cache =
		kmem_cache_create("c20", 64, 0, construct, destruct, NULL,
				  &private_data, NULL, 0);
	void *object = kmem_cache_alloc(cache, KM_SLEEP);

	kmem_cache_free(cache, object);
	kmem_cache_destroy(cache);
	return object;
}
#endif

int main(void)
{
	void *object = cycle();

	CHECK(object && constructed == object && destructed == object);
	return 0;
}
