/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pool that is destroyed with an item out is told which; so is an item that
 * goes to the wrong pool. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

static struct pool first, second;
static void *item;

static void destroy(void *argument)
{
	(void)argument;
	pool_destroy(&first);
}

static void put_wrong(void *argument)
{
	(void)argument;
	pool_put(&second, item);
}

static void put_kmem(void *argument)
{
	(void)argument;
	kmem_free(item, 100);
}

int main(void)
{
	char address[32];

	pool_init(&first, 100, 0, 0, 0, "c29first", NULL, IPL_NONE);
	pool_init(&second, 100, 0, 0, 0, "c29second", NULL, IPL_NONE);
	CHECK((item = pool_get(&first, PR_WAITOK)));
	snprintf(address, sizeof(address), "%p", item);
	EXPECT_REPORT(destroy, NULL, "LEAK", address);
	EXPECT_REPORT(destroy, NULL, "LEAK", "c29first, 1 object");
	EXPECT_REPORT(put_wrong, NULL, "BADCACHE",
		      "c29second, allocated from c29first");
	EXPECT_REPORT(put_kmem, NULL, "BADCACHE", "c29first");
	pool_put(&first, item);
	pool_destroy(&first);
	pool_destroy(&second);
	return 0;
}
