/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may sleep is reported in a signal handler, and so is what is not meant
 * for it. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

static struct pool pool, own_pool;

static void alloc_plain(void *argument)
{
	KMA_INTR_ENTER();
	kmem_alloc(64, *(km_flag_t *)argument);
}

static void alloc_sleeping(void *argument)
{
	(void)argument;
	KMA_INTR_ENTER();
	kmem_intr_alloc(64, KM_SLEEP);
}

static void get_waiting(void *argument)
{
	(void)argument;
	KMA_INTR_ENTER();
	pool_get(&pool, PR_WAITOK);
}

static void get_from_ipl_none(void *argument)
{
	(void)argument;
	KMA_INTR_ENTER();
	pool_get(&own_pool, PR_NOWAIT);
}

int main(void)
{
	km_flag_t sleep = KM_SLEEP, nosleep = KM_NOSLEEP;

	pool_init(&pool, 64, 0, 0, 0, "c16", NULL, IPL_VM);
	pool_init(&own_pool, 64, 0, 0, 0, "c16own", NULL, IPL_NONE);
	EXPECT_REPORT(alloc_plain, &sleep, "SLEEPINTR", "kmem_alloc");
	EXPECT_REPORT(alloc_plain, &nosleep, "SLEEPINTR", "kmem_alloc");
	EXPECT_REPORT(alloc_sleeping, NULL, "SLEEPINTR", "kmem_intr_alloc");
	EXPECT_REPORT(get_waiting, NULL, "SLEEPINTR", "pool_get");
	EXPECT_REPORT(get_from_ipl_none, NULL, "SLEEPINTR", "c16own");
	KMA_INTR_ENTER();
	void *p = kmem_intr_alloc(64, KM_NOSLEEP);

	CHECK(p);
	kmem_intr_free(p, 64);
	KMA_INTR_EXIT();
	CHECK(kma_intr_depth() == 0);
	return 0;
}
