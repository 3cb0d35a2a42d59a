/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pools on pages of their own allocator, wherever that has them from: mapped,
 * kmem's, uvm's; items that fill their page; numbers that are no memory, the
 * same of two pools. Misuse is told as of any other pool.
 */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>
#include <sys/mman.h>

enum { PAGE = 4096, ITEMS = 300 };

static int pages;

static void *mapped_alloc(struct pool *of, int flags)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)of, (void)flags;
	pages++;
	return page == MAP_FAILED ? NULL : page;
}

static void mapped_free(struct pool *of, void *page)
{
	(void)of;
	pages--;
	munmap(page, PAGE);
}

static void *kmem_page_alloc(struct pool *of, int flags)
{
	(void)of;
	pages++;
	return kmem_alloc(PAGE, flags & PR_WAITOK ? KM_SLEEP : KM_NOSLEEP);
}

static void kmem_page_free(struct pool *of, void *page)
{
	(void)of;
	pages--;
	kmem_free(page, PAGE);
}

static void *uvm_alloc(struct pool *of, int flags)
{
	(void)of, (void)flags;
	pages++;
	return (void *)uvm_km_alloc(kernel_map, PAGE, 0, UVM_KMF_WIRED);
}

static void uvm_free(struct pool *of, void *page)
{
	(void)of;
	pages--;
	uvm_km_free(kernel_map, (vaddr_t)page, PAGE, UVM_KMF_WIRED);
}

static struct pool_allocator mapped = { mapped_alloc, mapped_free, PAGE };
static struct pool_allocator by_kmem = { kmem_page_alloc, kmem_page_free,
					 PAGE };
static struct pool_allocator by_uvm = { uvm_alloc, uvm_free, PAGE };

static bool is_audited(void)
{
	return tier_is("audit") || tier_is("guard");
}

static bool knows_state(void)
{
	return is_audited() || tier_is("lite");
}

/* --- use --------------------------------------------------------------------
 */

static void fill(void **items, size_t size, void *(*get)(void *), void *from)
{
	for (int i = 0; i < ITEMS; i++) {
		CHECK((items[i] = get(from)));
		memset(items[i], i, size);
	}
	for (int i = 0; i < ITEMS; i++)
		for (size_t at = 0; at < size; at++)
			CHECK(((unsigned char *)items[i])[at] ==
			      (unsigned char)i);
}

static void *get_item(void *pool)
{
	return pool_get(pool, PR_WAITOK);
}

static void *get_object(void *cache)
{
	return pool_cache_get(cache, PR_WAITOK);
}

static void use_pool(struct pool_allocator *allocator, size_t size)
{
	static void *items[ITEMS];
	static struct pool pool;

	pool_init(&pool, size, 0, 0, 0, "own", allocator, IPL_NONE);
	for (int round = 0; round < 3; round++) {
		fill(items, size, get_item, &pool);
		CHECK(pool_chk(&pool, "in use") == 0);
		for (int i = 0; i < ITEMS; i++)
			pool_put(&pool, items[i]);
	}
	CHECK(pages > 0);
	pool_destroy(&pool);
	CHECK(pages == 0);
}

/* Objects that lie in magazines come back. */
static void use_cache(struct pool_allocator *allocator, size_t size)
{
	static void *items[ITEMS];
	pool_cache_t cache =
		pool_cache_init(size, 0, 0, 0, "owncache", allocator, IPL_NONE,
				NULL, NULL, NULL);

	for (int round = 0; round < 3; round++) {
		fill(items, size, get_object, cache);
		for (int i = 0; i < ITEMS; i++)
			pool_cache_put(cache, items[i]);
		for (int i = 0; i < ITEMS; i++)
			pool_cache_put(cache, get_object(cache));
	}
	pool_cache_destroy(cache);
	CHECK(pages == 0);
}

/* --- numbers ----------------------------------------------------------------
 */

/* From 4096 on, for each pool anew. */
static void *number_alloc(struct pool *of, int flags)
{
	static struct pool *last;
	static uintptr_t next;

	(void)flags;
	if (of != last)
		next = 0;
	last = of;
	return (void *)(next += PAGE);
}

static void number_free(struct pool *of, void *page)
{
	(void)of, (void)page;
}

static struct pool_allocator by_number = { number_alloc, number_free, PAGE };

/* Two pools of the same numbers know their own. */
static void use_numbers(void)
{
	enum { NUMBERS = 1000 };
	static struct pool pools[2];
	static void *numbers[2][NUMBERS];

	for (int which = 0; which < 2; which++) {
		pool_init(&pools[which], 16, 0, 0, PR_NOTOUCH, "numbers",
			  &by_number, IPL_NONE);
		for (int i = 0; i < NUMBERS; i++)
			CHECK((numbers[which][i] =
				       pool_get(&pools[which], PR_NOWAIT)));
	}
	CHECK(numbers[0][0] == numbers[1][0]);
	for (int which = 0; which < 2; which++) {
		for (int i = 0; i < NUMBERS; i++)
			pool_put(&pools[which], numbers[which][i]);
		CHECK(pool_chk(&pools[which], "all put") == 0);
		pool_destroy(&pools[which]);
	}
}

/* --- misuse -----------------------------------------------------------------
 */

static struct pool first, second;

static void put_twice(void *item)
{
	pool_put(&first, item);
	pool_put(&first, item);
}

static void put_wrong(void *item)
{
	pool_put(&second, item);
}

static void put_kmem(void *item)
{
	kmem_free(item, 100);
}

static void put_inside(void *item)
{
	pool_put(&first, (char *)item + 16);
}

static void overrun(void *item)
{
	((volatile char *)item)[100] = 1;
	pool_put(&first, item);
}

static void use_freed(void *item)
{
	pool_put(&first, item);
	((volatile char *)item)[50] = 1;
	for (int i = 0; i < ITEMS; i++)
		pool_get(&first, PR_WAITOK);
}

static void *askew_alloc(struct pool *of, int flags)
{
	static char room[2 * PAGE];

	(void)of, (void)flags;
	return (void *)(((uintptr_t)room + PAGE - 1) / PAGE * PAGE + 16);
}

static struct pool_allocator askew = { askew_alloc, number_free, PAGE };

static void get_askew(void *argument)
{
	static struct pool pool;

	(void)argument;
	pool_init(&pool, 100, 0, 0, PR_NOALIGN, "askew", &askew, IPL_NONE);
	pool_get(&pool, PR_NOWAIT);
}

/* Items that leave no room for a redzone: what is known of them is. */
static void misuse_of_filling(void)
{
	void *item;

	pool_init(&first, PAGE, 0, 0, 0, "filling", &mapped, IPL_NONE);
	CHECK((item = pool_get(&first, PR_WAITOK)));
	if (knows_state())
		EXPECT_REPORT(put_twice, item, "DUPFREE", "pool_put");
	if (is_audited()) {
		struct outcome *told = run_child(use_freed, item);

		expect_text(told, "kma: MODIFIED: ");
		expect_text(told, "allocated by thread");
	}
	memset(item, 1, PAGE);
	pool_put(&first, item);
	pool_destroy(&first);
	CHECK(pages == 0);
}

static void misuse(struct pool_allocator *allocator)
{
	void *item;

	pool_init(&first, 100, 0, 0, 0, "ownfirst", allocator, IPL_NONE);
	pool_init(&second, 100, 0, 0, 0, "ownsecond", NULL, IPL_NONE);
	CHECK((item = pool_get(&first, PR_WAITOK)));
	CHECK(kma_cache_holding((char *)item + 7) == first.pr_cache);
	EXPECT_REPORT(put_wrong, item, "BADCACHE",
		      "ownsecond, allocated from ownfirst");
	EXPECT_REPORT(put_inside, item, "BADBASE", "pool_put");
	if (allocator != &by_kmem)
		EXPECT_REPORT(put_kmem, item, "BADCACHE", "ownfirst");
	if (knows_state())
		EXPECT_REPORT(put_twice, item, "DUPFREE", "pool_put");
	if (is_audited()) {
		EXPECT_REPORT(overrun, item, "REDZONE", "ownfirst");
		EXPECT_REPORT(use_freed, item, "MODIFIED", "ownfirst");
	}
	pool_put(&first, item);
	pool_destroy(&first);
	pool_destroy(&second);
	CHECK(pages == 0);
}

int main(void)
{
	struct pool_allocator *all[] = { &mapped, &by_kmem, &by_uvm };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		use_pool(all[i], 100);
		use_pool(all[i], PAGE);
		use_cache(all[i], 100);
		use_cache(all[i], PAGE);
		misuse(all[i]);
	}
	use_numbers();
	misuse_of_filling();
	EXPECT_REPORT(get_askew, NULL, "BADADDR", "4096");
	return 0;
}
