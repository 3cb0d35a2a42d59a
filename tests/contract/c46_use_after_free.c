/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A write to a freed buffer, wherever in it, is found when it is allocated
 * again or its slab goes, with the offset and both stacks. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

enum { SIZE = 256 };

static void write_freed(void *argument)
{
	size_t offset = *(size_t *)argument;
	unsigned char *p = kmem_alloc(SIZE, KM_SLEEP);

	kmem_free(p, SIZE);
	__asm__ volatile("" : "+r"(p) : : "memory");
	p[offset] ^= 0x55;
	kma_reap();
	for (int i = 0; i < 100000; i++)
		kmem_free(kmem_alloc(SIZE, KM_SLEEP), SIZE);
}

int main(void)
{
	for (size_t offset = 0; offset < SIZE; offset += 15) {
		char words[32];

		snprintf(words, sizeof(words), "at offset %zu\n", offset);
		EXPECT_REPORT(write_freed, &offset, "MODIFIED", words);
		EXPECT_REPORT(write_freed, &offset, "MODIFIED",
			      "  allocated by");
		EXPECT_REPORT(write_freed, &offset, "MODIFIED", "  freed by");
	}
	return 0;
}
