/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was freed goes back to the heap, but for what is kept for the next
 * time. */
#include "tests/contract/kernel.h"

#define KMA_BSD_NO_LIBC_NAMES
#include <kma/bsd_malloc.h>

enum { COUNT = 200000, SIZE = 64, KEPT = 4 << 20 };

int main(void)
{
	static void *pieces[COUNT];
	size_t before, most;

	bsd_free(bsd_malloc(SIZE, M_TEMP, M_WAITOK), M_TEMP);
	before = kma_heap_used();
	for (int i = 0; i < COUNT; i++)
		pieces[i] = bsd_malloc(SIZE, M_TEMP, M_WAITOK);
	most = kma_heap_used();
	CHECK(most > before + (size_t)COUNT * SIZE / 2);
	for (int i = 0; i < COUNT; i++)
		bsd_free(pieces[i], M_TEMP);
	CHECK(kma_heap_used() < before + KEPT);
	return 0;
}
