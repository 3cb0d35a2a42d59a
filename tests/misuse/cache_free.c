/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An object of a cache is given to free(). */
#include "tests/misuse/misuse.h"

#include <kma/illumos.h>

static APART void *take(kmem_cache_t *cache)
{
	void *object = kmem_cache_alloc(cache, KM_SLEEP);

	KEEP(object);
	return object;
}

int main(void)
{
	kmem_cache_t *apples = kmem_cache_create("apples", 40, 0, NULL, NULL,
						 NULL, NULL, NULL, 0);

	drop(take(apples));
	return 0;
}
