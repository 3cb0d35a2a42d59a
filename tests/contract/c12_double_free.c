/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A second free is told as one, however late and from whichever thread; with
 * both stacks where the tier keeps them. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

static void free_again(void *p)
{
	kmem_free(p, 100);
}

static void *freeing_thread(void *p)
{
	free_again(p);
	return NULL;
}

static void free_twice(void *argument)
{
	void *p = kmem_alloc(100, KM_SLEEP);

	(void)argument;
	kmem_free(p, 100);
	free_again(p);
}

static void free_later(void *argument)
{
	enum { OTHERS = 1000 };
	void *p = kmem_alloc(100, KM_SLEEP), *others[OTHERS];

	(void)argument;
	for (int i = 0; i < OTHERS; i++)
		others[i] = kmem_alloc(100, KM_SLEEP);
	kmem_free(p, 100);
	for (int i = 0; i < OTHERS; i++)
		kmem_free(others[i], 100);
	free_again(p);
}

static void free_elsewhere(void *argument)
{
	void *p = kmem_alloc(100, KM_SLEEP);

	(void)argument;
	kmem_free(p, 100);
	join_thread(start_thread(freeing_thread, p));
}

int main(void)
{
	void (*const ways[])(void *) = { free_twice, free_later,
					 free_elsewhere };

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		EXPECT_REPORT(ways[i], NULL, "DUPFREE", "100-byte buffer");
		if (!tier_is("audit"))
			continue;
		EXPECT_REPORT(ways[i], NULL, "DUPFREE", "  allocated by");
		EXPECT_REPORT(ways[i], NULL, "DUPFREE", "  freed by");
	}
	return 0;
}
