/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slabs have colours: their first objects do not all lie at one place of their
 * page, and what a size's alignment promises is kept. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

#include <stdint.h>
#include <stdlib.h>

enum { CACHES = 8, PAGE = 4096 };

/* How many of the first objects of caches of that size lie at places of their
 * page of their own? */
static unsigned count_places(size_t size, unsigned align)
{
	pool_cache_t cache[CACHES];
	void *object[CACHES];
	unsigned places = 0;

	for (int i = 0; i < CACHES; i++) {
		bool is_new = true;

		cache[i] = pool_cache_init(size, align, 0, 0, "colours", NULL,
					   IPL_NONE, NULL, NULL, NULL);
		CHECK((object[i] = pool_cache_get(cache[i], PR_WAITOK)));
		CHECK(align == 0 || (uintptr_t)object[i] % align == 0);
		for (int j = 0; j < i; j++)
			if ((uintptr_t)object[i] % PAGE ==
			    (uintptr_t)object[j] % PAGE)
				is_new = false;
		places += is_new;
	}
	for (int i = 0; i < CACHES; i++) {
		pool_cache_put(cache[i], object[i]);
		pool_cache_destroy(cache[i]);
	}
	return places;
}

static int compare(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return (x > y) - (x < y);
}

/* And where slabs of one cache begin: the objects before and behind have no
 * neighbour there. */
static unsigned count_slabs_places(void)
{
	enum { SIZE = 64, SLAB = 65536, COUNT = 4 * SLAB / SIZE };
	static uintptr_t object[COUNT];
	pool_cache_t cache = pool_cache_init(SIZE, 0, 0, 0, "colours", NULL,
					     IPL_NONE, NULL, NULL, NULL);
	uint64_t seen = 0; /* a bit for each line of a page */

	for (int i = 0; i < COUNT; i++)
		CHECK((object[i] =
			       (uintptr_t)pool_cache_get(cache, PR_WAITOK)));
	qsort(object, COUNT, sizeof(object[0]), compare);
	for (int i = 0; i < COUNT; i++)
		if (i == 0 || object[i] - object[i - 1] >= 4 * SIZE)
			seen |= UINT64_C(1) << object[i] % PAGE / 64;
	for (int i = 0; i < COUNT; i++)
		pool_cache_put(cache, (void *)object[i]);
	pool_cache_destroy(cache);
	return (unsigned)__builtin_popcountll(seen);
}

int main(void)
{
	CHECK(count_places(64, 0) >= 4);
	CHECK(count_places(48, 0) >= 4);
	CHECK(count_places(200, 0) >= 4);
	CHECK(count_places(64, 64) >= 2);
	CHECK(count_places(128, 128) >= 2);
	CHECK(count_places(256, 256) >= 1);
	CHECK(count_places(PAGE, PAGE) == 1);
	CHECK(count_slabs_places() >= 2);
	return 0;
}
