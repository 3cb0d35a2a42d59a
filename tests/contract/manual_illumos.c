/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What else illumos's manual pages and headers have. */
#include "tests/contract/kernel.h"

#include <kma/illumos.h>

static void check_ids(void)
{
	enum { LOW = 0, HIGH = 5 };
	id_space_t *ids = id_space_create("ids", LOW, HIGH);
	bool seen[HIGH + 2] = { false };
	id_t first, again;

	CHECK(ids);
	for (int i = LOW; i < HIGH; i++) {
		id_t id = id_alloc(ids);

		CHECK(id < HIGH && !seen[id]);
		seen[id] = true;
	}
	CHECK(id_alloc_nosleep(ids) == (id_t)-1);
	CHECK(id_allocff_nosleep(ids) == (id_t)-1);
	id_free(ids, 3);
	CHECK(id_alloc_specific_nosleep(ids, 2) == (id_t)-1);
	CHECK(id_alloc_specific_nosleep(ids, 3) == 3);
	id_space_extend(ids, HIGH, HIGH + 2);
	first = id_alloc(ids);
	id_free(ids, first);
	again = id_alloc(ids); /* not the one that was freed last */
	CHECK(again != first && again >= HIGH);
	id_free(ids, again);
	id_free(ids, 1);
	CHECK(id_allocff(ids) == 1);
	for (id_t id = LOW; id < HIGH; id++)
		id_free(ids, id);
	id_space_destroy(ids);
}

/* Patterns that free memory is filled with are no pointers that a client's
 * object has. */
static void check_pointers(void)
{
	static int something;
	void *p = &something;

	CHECK(POINTER_IS_VALID(p));
	POINTER_INVALIDATE(&p);
	CHECK(!POINTER_IS_VALID(p));
	CHECK(!POINTER_IS_VALID(UINT64_C(0xdeadbeefdeadbeef)));
	CHECK(!POINTER_IS_VALID(UINT64_C(0xbaddcafebaddcafe)));
}

/* Objects of a cache on an arena of memory, and numbers of a cache on an arena
 * of identifiers. */
static void check_arenas(void)
{
	vmem_t *memory = vmem_create("memory", NULL, 0, 4096, vmem_alloc,
				     vmem_free, kma_vmem_heap(), 0, VM_SLEEP);
	vmem_t *numbers = vmem_create("numbers", (void *)4096, 1 << 20, 1, NULL,
				      NULL, NULL, 0, VM_SLEEP | VMC_IDENTIFIER);
	kmem_cache_t *objects = kmem_cache_create("on_arena", 100, 0, NULL,
						  NULL, NULL, NULL, memory, 0);
	kmem_cache_t *ids =
		kmem_cache_create("on_numbers", 8, 8, NULL, NULL, NULL, NULL,
				  numbers, KMC_IDENTIFIER);
	void *object[1000], *id[1000];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 1000; i++) {
			object[i] = kmem_cache_alloc(objects, KM_SLEEP);
			memset(object[i], i, 100);
			CHECK((id[i] = kmem_cache_alloc(ids, KM_SLEEP)));
		}
		for (int i = 0; i < 1000; i++) {
			CHECK(*(unsigned char *)object[i] == (i & 0xff));
			kmem_cache_free(objects, object[i]);
			kmem_cache_free(ids, id[i]);
		}
	}
	CHECK(vmem_size(memory, VMEM_ALLOC) > 0);
	kmem_cache_destroy(objects);
	kmem_cache_destroy(ids);
	CHECK(vmem_size(memory, VMEM_ALLOC) == 0);
	CHECK(vmem_size(numbers, VMEM_ALLOC) == 0);
	vmem_destroy(memory);
	vmem_destroy(numbers);
}

/* What kstat has of a cache, by its names. */
static void check_stats(void)
{
	kmem_cache_t *cache = kmem_cache_create("stats", 100, 0, NULL, NULL,
						NULL, NULL, NULL, 0);
	void *object[100];

	for (int i = 0; i < 100; i++)
		object[i] = kmem_cache_alloc(cache, KM_SLEEP);
	for (int i = 0; i < 40; i++)
		kmem_cache_free(cache, object[i]);
	CHECK(kmem_cache_stat(cache, "buf_size") == 100);
	CHECK(kmem_cache_stat(cache, "alloc") == 100);
	CHECK(kmem_cache_stat(cache, "free") == 40);
	CHECK(kmem_cache_stat(cache, "buf_inuse") == 60);
	CHECK(kmem_cache_stat(cache, "buf_inuse") +
		      kmem_cache_stat(cache, "buf_avail") ==
	      kmem_cache_stat(cache, "buf_total"));
	CHECK(kmem_cache_stat(cache, "buf_max") >=
	      kmem_cache_stat(cache, "buf_total"));
	CHECK(kmem_cache_stat(cache, "slab_alloc") -
		      kmem_cache_stat(cache, "slab_free") ==
	      60 + kmem_cache_stat(cache, "buf_constructed"));
	CHECK(kmem_cache_stat(cache, "no such") == 0);
	for (int i = 40; i < 100; i++)
		kmem_cache_free(cache, object[i]);
	kmem_cache_destroy(cache);
}

int main(void)
{
	char *copy = kmem_strdup("copy");

	CHECK(strcmp(copy, "copy") == 0);
	kmem_strfree(copy);
	check_ids();
	check_pointers();
	check_arenas();
	check_stats();
	return 0;
}
