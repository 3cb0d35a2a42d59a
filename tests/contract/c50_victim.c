/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is aborted for a misuse. Without symbols.
 *
 * Usage: c50_victim KIND. Prints the address that the misuse is about.
 */
#include <kma/netbsd.h>

#include <unistd.h>

enum { SIZE = 100 };

static void tell(const void *p)
{
	dprintf(STDOUT_FILENO, "%p\n", p);
}

static void put_twice(void)
{
	pool_cache_t cache = pool_cache_init(SIZE, 0, 0, 0, "c50cache", NULL,
					     IPL_NONE, NULL, NULL, NULL);
	void *object = pool_cache_get(cache, PR_WAITOK);

	tell(object);
	pool_cache_put(cache, object);
	pool_cache_put(cache, object);
}

static void put_elsewhere(void)
{
	static struct pool one, other;
	void *item;

	pool_init(&one, SIZE, 0, 0, 0, "c50one", NULL, IPL_NONE);
	pool_init(&other, SIZE, 0, 0, 0, "c50other", NULL, IPL_NONE);
	item = pool_get(&one, PR_WAITOK);
	tell(item);
	pool_put(&other, item);
}

static void free_less(void)
{
	void *p = kmem_alloc(SIZE, KM_SLEEP);

	tell(p);
	kmem_free(p, SIZE - 1);
}

static void write_past(void)
{
	volatile char *p = kmem_alloc(SIZE, KM_SLEEP);

	tell((const void *)p);
	p[SIZE] = 'x';
	kmem_free((void *)p, SIZE);
}

static void write_after(void)
{
	pool_cache_t cache = pool_cache_init(SIZE, 0, 0, 0, "c50after", NULL,
					     IPL_NONE, NULL, NULL, NULL);
	volatile char *p = pool_cache_get(cache, PR_WAITOK);

	tell((const void *)p);
	pool_cache_put(cache, (void *)p);
	p[10] = 'x';
	pool_cache_invalidate(cache);
	pool_cache_destroy(cache);
}

static void lose(void)
{
	static struct pool pool;

	pool_init(&pool, SIZE, 0, 0, 0, "c50lost", NULL, IPL_NONE);
	tell(pool_get(&pool, PR_WAITOK));
	pool_destroy(&pool);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*misuse)(void);
	} kinds[] = {
		{ "put_twice", put_twice },
		{ "put_elsewhere", put_elsewhere },
		{ "free_less", free_less },
		{ "write_past", write_past },
		{ "write_after", write_after },
		{ "lose", lose },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (argc > 1 && strcmp(argv[1], kinds[i].name) == 0)
			kinds[i].misuse();
	return 2;
}
