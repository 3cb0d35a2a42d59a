/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/contract/families.h"

#include <kma/illumos.h>

enum { OBJECTS = 20, IDS = 6, BLOCK = 500 };

/* Numbers by the quantum, drawn from another arena. */
static void make_ids(void)
{
	static void *ids[IDS], *block;
	vmem_t *all = vmem_create("fam_ids", (void *)1000, 1000, 1, NULL, NULL,
				  NULL, 0, VM_SLEEP | VMC_IDENTIFIER);
	vmem_t *mine =
		vmem_create("fam_my_ids", NULL, 0, 1, vmem_alloc, vmem_free,
			    all, 4, VM_SLEEP | VMC_IDENTIFIER);

	for (int i = 0; i < IDS; i++)
		ids[i] = vmem_alloc(mine, 1, VM_SLEEP);
	block = kmem_zalloc(BLOCK, KM_SLEEP);
	families_keep(ids);
	families_keep(block);
}

void families_illumos(void)
{
	static void *objects[OBJECTS];
	kmem_cache_t *cache = kmem_cache_create("fam_object", 300, 0, NULL,
						NULL, NULL, NULL, NULL, 0);

	for (int i = 0; i < OBJECTS; i++)
		objects[i] = kmem_cache_alloc(cache, KM_SLEEP);
	families_keep(objects);
	make_ids();
}
