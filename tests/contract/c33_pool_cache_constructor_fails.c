/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A constructor that fails: NULL, nothing lost; and told where it must not. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

static int fail(void *arg, void *object, int flags)
{
	(void)arg, (void)object, (void)flags;
	return ENOMEM;
}

static pool_cache_t failing;

static void get_waiting(void *argument)
{
	(void)argument;
	CHECK(!pool_cache_get(failing, PR_WAITOK));
}

int main(void)
{
	pool_cache_t plain;
	unsigned char *p;
	paddr_t pa = 0;

	failing = pool_cache_init(64, 0, 0, 0, "c33", NULL, IPL_NONE, fail,
				  NULL, NULL);
	for (int i = 0; i < 10; i++)
		CHECK(!pool_cache_get(failing, PR_NOWAIT));
	CHECK(kma_cache_stat(failing->pc_pool.pr_cache, "buf_inuse") == 0);
	CHECK(kma_cache_stat(failing->pc_pool.pr_cache, "construct_fail") ==
	      10);
	expect_text(run_child(get_waiting, NULL), "kma: CTORFAIL: ");
	pool_cache_destroy(failing);
	plain = pool_cache_init(64, 0, 0, 0, "c33plain", NULL, IPL_NONE, NULL,
				NULL, NULL);
	for (int i = 0; i < 10; i++) {
		p = pool_cache_get_paddr(plain, PR_WAITOK | PR_ZERO, &pa);
		CHECK(pa == POOL_PADDR_INVALID);
		for (int at = 0; at < 64; at++)
			CHECK(p[at] == 0);
		memset(p, 0xff, 64);
		pool_cache_put_paddr(plain, p, pa);
	}
	pool_cache_destroy(plain);
	return 0;
}
