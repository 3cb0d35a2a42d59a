/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kmguard: what stands before an object is looked at when it is freed, and the
 * free names the object as it was allocated. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

static void change_before(void *argument)
{
	uint64_t *p = kmem_alloc(100, KM_SLEEP);

	(void)argument;
	__asm__ volatile("" : "+r"(p));
	p[-1] ^= 0xff;
	kmem_free(p, 100);
}

static void free_wrong_size(void *argument)
{
	(void)argument;
	kmem_free(kmem_alloc(100, KM_SLEEP), 96);
}

static void free_inside(void *argument)
{
	char *p = kmem_alloc(100, KM_SLEEP);

	(void)argument;
	kmem_free(p + 16, 100);
}

int main(void)
{
	EXPECT_REPORT(change_before, NULL, "UNDERFLOW", "100-byte buffer");
	EXPECT_REPORT(free_wrong_size, NULL, "BADSIZE", "100-byte buffer");
	EXPECT_REPORT(free_inside, NULL, "BADBASE", "100-byte buffer");
	return 0;
}
