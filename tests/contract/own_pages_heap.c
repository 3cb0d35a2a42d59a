/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a debugger is to see of pools on pages of their own: of each way to have
 * them, an item that is kept, one that is lost, and one that is free, each with
 * memory of kmem's that nothing else leads to; and one that is lost on purpose.
 *
 * Usage: own_pages_heap (dump FILE|wait|abort|overrun|check). Prints a line for
 * each pool: its name, then the three items and the three blocks of memory, and
 * the item that is ignored.
 */
#include "tests/contract/contract.h"

#include <kma/netbsd.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { PAGE = 4096, CHUNK = 16 * PAGE, BLOCK = 48 };

struct item {
	void *block;
	char rest[88];
};

struct filling { /* its page */
	void *block;
	char rest[PAGE - sizeof(void *)];
};

static void *mapped_alloc(struct pool *of, int flags)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)of, (void)flags;
	return page == MAP_FAILED ? NULL : page;
}

static void *kmem_page_alloc(struct pool *of, int flags)
{
	(void)of;
	return kmem_alloc(PAGE, flags & PR_WAITOK ? KM_SLEEP : KM_NOSLEEP);
}

static void *uvm_alloc(struct pool *of, int flags)
{
	(void)of, (void)flags;
	return (void *)uvm_km_alloc(kernel_map, PAGE, 0, UVM_KMF_WIRED);
}

static char still[4 * PAGE] __attribute__((aligned(PAGE)));

static void *static_alloc(struct pool *of, int flags)
{
	static size_t used;

	(void)of, (void)flags;
	used += PAGE;
	return used <= sizeof(still) ? still + used - PAGE : NULL;
}

/* Pages out of a chunk, whose first page is the client's own. */
static struct {
	char *base;
	size_t used;
} chunk;

static void *chunk_alloc(struct pool *of, int flags)
{
	(void)of, (void)flags;
	if (!chunk.base)
		chunk.base = kmem_zalloc(CHUNK, KM_SLEEP);
	chunk.used += PAGE;
	return chunk.used < CHUNK ? chunk.base + chunk.used : NULL;
}

static void keep_page(struct pool *of, void *page)
{
	(void)of, (void)page;
}

static struct way {
	const char *name;
	struct pool_allocator pages;
	size_t size;
	struct pool pool;
} ways[] = {
	{ "own_mapped",
	  { mapped_alloc, keep_page, PAGE },
	  sizeof(struct item),
	  { 0 } },
	{ "own_kmem",
	  { kmem_page_alloc, keep_page, PAGE },
	  sizeof(struct item),
	  { 0 } },
	{ "own_uvm",
	  { uvm_alloc, keep_page, PAGE },
	  sizeof(struct item),
	  { 0 } },
	{ "own_static",
	  { static_alloc, keep_page, PAGE },
	  sizeof(struct item),
	  { 0 } },
	{ "own_chunk",
	  { chunk_alloc, keep_page, PAGE },
	  sizeof(struct item),
	  { 0 } },
	{ "own_filling",
	  { mapped_alloc, keep_page, PAGE },
	  sizeof(struct filling),
	  { 0 } },
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static struct item *kept[WAYS];

/* What is printed is kept out of the way of whoever looks for pointers. */
static uintptr_t lines[WAYS][7];
static const uintptr_t hide = (uintptr_t)0x5a5a5a5a5a5a5a5a;

__attribute__((noinline)) static void *get_block(struct item *item)
{
	item->block = kmem_alloc(BLOCK, KM_SLEEP);
	memset(item->block, 0, BLOCK);
	return item->block;
}

__attribute__((noinline)) static void lose_item(struct pool *pool,
						uintptr_t *line)
{
	struct item *item = pool_get(pool, PR_WAITOK);

	line[4] = (uintptr_t)get_block(item) ^ hide;
	line[1] = (uintptr_t)item ^ hide;
}

__attribute__((noinline)) static void free_item(struct pool *pool,
						uintptr_t *line)
{
	struct item *item = pool_get(pool, PR_WAITOK);

	line[5] = (uintptr_t)get_block(item) ^ hide;
	line[2] = (uintptr_t)item ^ hide;
	pool_put(pool, item);
}

__attribute__((noinline)) static void ignore_item(struct pool *pool,
						  uintptr_t *line)
{
	struct item *item = pool_get(pool, PR_WAITOK);

	CHECK(kma_ignore(item) == 0);
	line[6] = (uintptr_t)item ^ hide;
}

__attribute__((noinline)) static void fill(size_t which)
{
	struct way *way = &ways[which];

	pool_init(&way->pool, way->size, 0, 0, 0, way->name, &way->pages,
		  IPL_NONE);
	kept[which] = pool_get(&way->pool, PR_WAITOK);
	lines[which][3] = (uintptr_t)get_block(kept[which]) ^ hide;
	lines[which][0] = (uintptr_t)kept[which] ^ hide;
	lose_item(&way->pool, lines[which]);
	ignore_item(&way->pool, lines[which]);
	free_item(&way->pool, lines[which]);
}

__attribute__((noinline)) static void print(void)
{
	for (size_t i = 0; i < WAYS; i++) {
		printf("%s", ways[i].name);
		for (size_t at = 0; at < 7; at++)
			printf(" %#lx", lines[i][at] ^ hide);
		printf("\n");
	}
	fflush(stdout);
}

/* What stack and registers still have of all that is written over. */
__attribute__((noinline)) static void forget(void)
{
	volatile char stack[16384];

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = 0;
}

__attribute__((noinline)) static void overrun(void)
{
	for (size_t i = 0; i + 1 < WAYS; i++)
		((volatile char *)kept[i])[sizeof(struct item)] = 1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < WAYS; i++)
		fill(i);
	/* What only the chunk's own page leads to is held, too. */
	*(void **)chunk.base = kmem_alloc(BLOCK, KM_SLEEP);
	chunk.base = NULL;
	print();
	forget();
	if (strcmp(what, "overrun") == 0)
		overrun();
	if (strcmp(what, "check") == 0)
		return 0;
	if (strcmp(what, "wait") == 0)
		for (;;)
			pause();
	if (strcmp(what, "abort") == 0)
		abort();
	return argc > 2 && kma_dump(argv[2]) == 0 ? 0 : 1;
}
