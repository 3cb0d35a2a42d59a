/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NetBSD's malloc(9), beside kmem(9) in one unit. */
#include "tests/contract/kernel.h"

#include <kma/netbsd_malloc.h>

MALLOC_DEFINE(M_FIRST, "first", "for this test");
static MALLOC_DEFINE(M_SECOND, "second", "for this test, too");

static void *block;

static void free_wrong_type(void *argument)
{
	(void)argument;
	free(block, M_SECOND);
}

static void free_by_kmem(void *argument)
{
	(void)argument;
	kmem_free(block, 100);
}

static void sleep_in_handler(void *argument)
{
	(void)argument;
	KMA_INTR_ENTER();
	malloc(10, M_FIRST, M_WAITOK);
}

int main(void)
{
	char *p;

	block = malloc(100, M_FIRST, M_WAITOK | M_ZERO);
	for (int i = 0; i < 100; i++)
		CHECK(((char *)block)[i] == 0);
	if (!tier_is("off")) {
		EXPECT_REPORT(free_wrong_type, NULL, "BADTYPE", "first");
		expect_text(run_child(free_by_kmem, NULL), "BADFAMILY");
	}
	EXPECT_REPORT(sleep_in_handler, NULL, "SLEEPINTR", NULL);
	block = realloc(block, 5000, M_FIRST, M_NOWAIT);
	CHECK(block);
	free(block, M_FIRST);
	KMA_INTR_ENTER();
	p = malloc(10, M_TEMP, M_NOWAIT);
	CHECK(p);
	free(p, M_TEMP);
	KMA_INTR_EXIT();
	CHECK(kma_type_stat(kma_malloc_type(M_FIRST), "inuse") == 0);
	CHECK(kma_type_stat(kma_malloc_type(M_TEMP), "calls") == 1);
	return 0;
}
