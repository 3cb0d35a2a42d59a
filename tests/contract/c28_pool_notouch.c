/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PR_NOTOUCH: the items' bytes are the client's alone, and a second put is told
 * all the same. Also pages of an own allocator. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>
#include <sys/mman.h>

static struct pool pool;
static int pages;

static void *page_alloc(struct pool *of, int flags)
{
	void *page = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(of == &pool && (flags == PR_WAITOK || flags == PR_NOWAIT));
	pages++;
	return page == MAP_FAILED ? NULL : page;
}

static void page_free(struct pool *of, void *page)
{
	CHECK(of == &pool);
	pages--;
	munmap(page, 65536);
}

static struct pool_allocator own_pages = { page_alloc, page_free, 65536 };

static void put_twice(void *item)
{
	pool_put(&pool, item);
	pool_put(&pool, item);
}

static void check(struct pool_allocator *allocator)
{
	enum { ITEMS = 3000 };
	static unsigned char *items[ITEMS];

	pool_init(&pool, 100, 0, 0, PR_NOTOUCH, "c28", allocator, IPL_NONE);
	int kept = 0;

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < ITEMS; i++)
			CHECK((items[i] = pool_get(&pool, PR_WAITOK)));
		for (int i = 0; i < ITEMS; i++) {
			/* As it was left, or as it came from the system. */
			CHECK(items[i][0] == 0x5c || items[i][0] == 0);
			kept += items[i][0] == 0x5c;
			for (int at = 1; at < 100; at++)
				CHECK(items[i][at] == items[i][0]);
			memset(items[i], 0x5c, 100);
		}
		EXPECT_REPORT(put_twice, items[7], "DUPFREE", "pool_put");
		for (int i = 0; i < ITEMS; i++)
			pool_put(&pool, items[i]);
	}
	CHECK(kept > ITEMS / 2);
	pool_destroy(&pool);
}

int main(void)
{
	check(NULL);
	check(&own_pages);
	CHECK(pages == 0);
	return 0;
}
