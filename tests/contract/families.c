/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every family is live, threads sleep for an item and for a number, and the
 * program dumps itself.
 *
 * Usage: families DUMP. Prints addresses that the test asks about.
 */
#include "tests/contract/families.h"
#include "alloc/root.h"
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

#include <sys/mman.h>

enum {
	ITEMS = 50,
	CACHED = 40,
	LIMIT = 5,
	NUMBERS = 10,
	PAGE = 4096,
	OWN = 20,
	OWN_PAGE = 16 * PAGE,
};

static struct pool pool, limited, own;
static vmem_t *numbers;

/* Pages from elsewhere: none of the heap's arenas knows of them. */
static void *own_alloc(struct pool *of, int flags)
{
	void *page = mmap(NULL, 2 * OWN_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)of, (void)flags;
	CHECK(page != MAP_FAILED);
	return (void *)(((uintptr_t)page + OWN_PAGE - 1) &
			~(uintptr_t)(OWN_PAGE - 1));
}

static void own_free(struct pool *of, void *page)
{
	(void)of, (void)page;
}

static struct pool_allocator own_allocator = { own_alloc, own_free, OWN_PAGE };

__attribute__((noinline)) static void *wait_for_item(void *argument)
{
	void *item = pool_get(&limited, PR_WAITOK);

	families_keep(argument);
	return item;
}

__attribute__((noinline)) static void *wait_for_number(void *argument)
{
	vmem_addr_t number = 0;

	CHECK(vmem_alloc(numbers, 1, VM_SLEEP | VM_INSTANTFIT, &number) == 0);
	families_keep(argument);
	return (void *)number;
}

/* Pools, of which one is at its limit and one has pages of its own. */
static void make_pools(void **items, void **few)
{
	static void *own_items[OWN];

	pool_init(&pool, 100, 0, 0, 0, "fam_pool", NULL, IPL_NONE);
	pool_init(&limited, 64, 0, 0, 0, "fam_limited", NULL, IPL_NONE);
	pool_sethardlimit(&limited, LIMIT, NULL, 0);
	pool_init(&own, 200, 0, 0, 0, "fam_own", &own_allocator, IPL_NONE);
	for (int i = 0; i < ITEMS; i++)
		items[i] = pool_get(&pool, PR_WAITOK);
	for (int i = 0; i < LIMIT; i++)
		few[i] = pool_get(&limited, PR_WAITOK);
	for (int i = 0; i < OWN; i++)
		own_items[i] = pool_get(&own, PR_WAITOK);
	families_keep(own_items);
}

static void make_pool_cache(void)
{
	static void *objects[CACHED];
	pool_cache_t cache = pool_cache_init(120, 0, 0, 0, "fam_cache", NULL,
					     IPL_NONE, NULL, NULL, NULL);

	for (int i = 0; i < CACHED; i++)
		objects[i] = pool_cache_get(cache, PR_WAITOK);
	for (int i = 0; i < CACHED / 2; i++)
		pool_cache_put(cache, objects[i]);
	families_keep(objects);
}

/* All numbers taken; a run of wired pages and one of addresses alone. */
static void make_arenas(void)
{
	static vaddr_t runs[2];
	vmem_addr_t number;

	numbers = vmem_create("fam_numbers", 1, NUMBERS, 1, NULL, NULL, NULL, 0,
			      VM_SLEEP, IPL_NONE);
	for (int i = 0; i < NUMBERS; i++)
		CHECK(vmem_alloc(numbers, 1, VM_NOSLEEP | VM_INSTANTFIT,
				 &number) == 0);
	runs[0] = uvm_km_alloc(kernel_map, 3 * PAGE, 0, UVM_KMF_WIRED);
	runs[1] = uvm_km_alloc(kernel_map, 5 * PAGE, 0, UVM_KMF_VAONLY);
	CHECK(runs[0] && runs[1]);
	families_keep(runs);
}

static void wait_for_sleepers(unsigned count)
{
	while (__atomic_load_n(&kma_root.wait_count, __ATOMIC_ACQUIRE) < count)
		sleep_ms(1);
}

int main(int argc, char **argv)
{
	static void *items[ITEMS], *few[LIMIT];
	percpu_t *percpu;
	pthread_t threads[2];
	void *plain, *typed;

	CHECK(argc == 2);
	make_pools(items, few);
	make_pool_cache();
	make_arenas();
	percpu = percpu_alloc(24);
	plain = kmem_alloc(777, KM_SLEEP);
	typed = families_bsd();
	families_freebsd();
	families_illumos();
	threads[0] = start_thread(wait_for_item, NULL);
	wait_for_sleepers(1);
	threads[1] = start_thread(wait_for_number, NULL);
	wait_for_sleepers(2);
	printf("%p %p %p %p %zu\n", items[0], plain, typed, (void *)percpu,
	       kma_heap_used());
	CHECK(kma_dump(argv[1]) == 0);
	pool_put(&limited, few[0]);
	vmem_free(numbers, 1, 1);
	CHECK(join_thread(threads[0]));
	CHECK(join_thread(threads[1]) == (void *)1);
	return 0;
}
