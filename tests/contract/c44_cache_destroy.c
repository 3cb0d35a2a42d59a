/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Destroying a cache with live objects lists them, and goes on; what uses the
 * cache after that does not. */
#include "tests/contract/kernel.h"

#include <kma/illumos.h>

static kmem_cache_t *cache;
static void *objects[3];

static void destroy(void *argument)
{
	(void)argument;
	kmem_cache_destroy(cache);
}

static void use_after(void *argument)
{
	kmem_cache_destroy(cache);
	if (argument)
		kmem_cache_free(cache, argument);
	else
		kmem_cache_alloc(cache, KM_SLEEP);
}

int main(void)
{
	struct outcome *outcome;

	cache = kmem_cache_create("c44", 100, 0, NULL, NULL, NULL, NULL, NULL,
				  0);
	for (int i = 0; i < 3; i++)
		CHECK((objects[i] = kmem_cache_alloc(cache, KM_SLEEP)));
	outcome = run_child(destroy, NULL);
	expect_text(outcome, "kma: LEAK: ");
	expect_text(outcome, "c44, 3 objects");
	for (int i = 0; i < 3; i++) {
		char address[32];

		snprintf(address, sizeof(address), "%p", objects[i]);
		expect_text(outcome, address);
	}
	CHECK(WIFEXITED(outcome->status));
	EXPECT_REPORT(use_after, NULL, "BADCACHE", "was destroyed");
	EXPECT_REPORT(use_after, objects[0], "BADCACHE", "was destroyed");
	for (int i = 0; i < 3; i++)
		kmem_cache_free(cache, objects[i]);
	kmem_cache_destroy(cache);
	for (int i = 0; i < 500; i++) { /* indices are used again */
		cache = kmem_cache_create("c44more", 100, 0, NULL, NULL, NULL,
					  NULL, NULL, 0);
		CHECK(cache);
		kmem_cache_free(cache, kmem_cache_alloc(cache, KM_SLEEP));
		kmem_cache_destroy(cache);
	}
	return 0;
}
