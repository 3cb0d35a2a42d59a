/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An object of one cache is given to another. */
#include "tests/misuse/misuse.h"

#include <kma/illumos.h>

static APART void *take(kmem_cache_t *cache)
{
	void *object = kmem_cache_alloc(cache, KM_SLEEP);

	KEEP(object);
	return object;
}

static APART void give(kmem_cache_t *cache, void *object)
{
	kmem_cache_free(cache, object);
	KEEP(object);
}

int main(void)
{
	kmem_cache_t *apples = kmem_cache_create("apples", 40, 0, NULL, NULL,
						 NULL, NULL, NULL, 0);
	kmem_cache_t *pears = kmem_cache_create("pears", 40, 0, NULL, NULL,
						NULL, NULL, NULL, 0);

	give(pears, take(apples));
	return 0;
}
