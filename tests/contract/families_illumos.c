/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/contract/families.h"

#include <kma/illumos.h>

enum { OBJECTS = 20 };

void families_illumos(void)
{
	static void *objects[OBJECTS];
	kmem_cache_t *cache = kmem_cache_create("fam_object", 300, 0, NULL,
						NULL, NULL, NULL, NULL, 0);

	for (int i = 0; i < OBJECTS; i++)
		objects[i] = kmem_cache_alloc(cache, KM_SLEEP);
	families_keep(objects);
}
