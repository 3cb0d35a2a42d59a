/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the whole heap could not hold is reported, and not waited for; so is a
 * sleep that nobody is left to end. */
#include "tests/contract/limit.h"

#include <kma/netbsd.h>

static void ask_for_all(void *argument)
{
	(void)argument;
	kma_set_heap_limit(64 << 20);
	kmem_alloc(65 << 20, KM_SLEEP);
}

static void sleep_alone(void *argument)
{
	(void)argument;
	limit_use_up();
	kmem_alloc(BLOCK, KM_SLEEP);
}

int main(void)
{
	EXPECT_REPORT(ask_for_all, NULL, "IMPOSSIBLE", "kmem_alloc");
	EXPECT_REPORT(sleep_alone, NULL, "DEADLOCK", "65536 bytes of the heap");
	return 0;
}
