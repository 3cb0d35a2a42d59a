/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A free of NULL, by each kernel's rule. */
#include "tests/contract/kernel.h"

#if defined(DIALECT_NETBSD)
#include <kma/netbsd.h>
#else
#include <kma/illumos.h>
#endif

static void free_null(void *argument)
{
	kmem_free(NULL, *(size_t *)argument);
}

int main(void)
{
	size_t eight = 8, none = 0;

	EXPECT_REPORT(free_null, &eight, "NULLFREE", "kmem_free");
#if defined(DIALECT_NETBSD)
	EXPECT_REPORT(free_null, &none, "NULLFREE", "kmem_free");
#else
	free_null(&none);
#endif
	return 0;
}
