/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A free of what is no buffer, wherever it points. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>
#include <sys/mman.h>

static void free_it(void *p)
{
	kmem_free(p, 100);
}

int main(void)
{
	char on_stack[128];
	char *p = kmem_alloc(100, KM_SLEEP);
	char *page =
		mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *foreign = malloc(100);

	CHECK(page != MAP_FAILED && foreign);
	CHECK(munmap(page, 4096) == 0);
	EXPECT_REPORT(free_it, p + 8, "BADBASE", "100-byte buffer");
	EXPECT_REPORT(free_it, on_stack, "BADADDR", "on the stack of");
	EXPECT_REPORT(free_it, foreign, "BADADDR", "kmem_free");
	EXPECT_REPORT(free_it, page, "BADADDR", "kmem_free");
	EXPECT_REPORT(free_it, (void *)0xdeadbeefdeadbeef, "BADADDR", NULL);
	kmem_free(p, 100);
	free(foreign);
	return 0;
}
