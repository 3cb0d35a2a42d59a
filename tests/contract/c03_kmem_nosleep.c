/* SPDX-License-Identifier: GPL-3.0-or-later */
/* At the limit KM_NOSLEEP fails at once, and nothing is lost by it. */
#include "tests/contract/limit.h"

#include <kma/netbsd.h>

int main(void)
{
	size_t used;
	uint64_t start;

	limit_use_up();
	used = kma_heap_used();
	for (int i = 0; i < 100; i++) {
		start = now_ms();
		CHECK(!kmem_alloc(BLOCK, KM_NOSLEEP));
		CHECK(!kmem_alloc(1 << 20, KM_NOSLEEP));
		CHECK(now_ms() - start <= 1000); /* no sleep: those are 100 ms
						    and longer, each time */
	}
	CHECK(kma_heap_used() == used);
	CHECK(limit_count > 10);
	limit_end();
	CHECK(kmem_alloc(BLOCK, KM_NOSLEEP));
	return 0;
}
