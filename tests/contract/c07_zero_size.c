/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Size 0, by each kernel's rule. */
#include "alloc/root.h"
#include "tests/contract/kernel.h"

#if defined(DIALECT_NETBSD)
#include <kma/netbsd.h>
#elif defined(DIALECT_ILLUMOS)
#include <kma/illumos.h>
#else
#define KMA_BSD_NO_LIBC_NAMES
#include <kma/bsd_malloc.h>
#endif

#if defined(DIALECT_NETBSD)
static void ask(void *argument)
{
	(void)argument;
	kmem_alloc(0, KM_SLEEP);
}
#endif

int main(void)
{
#if defined(DIALECT_NETBSD)
	EXPECT_REPORT(ask, NULL, "ZEROSIZE", "kmem_alloc");
#elif defined(DIALECT_ILLUMOS)
	uint64_t before = kma_root.zero_sized;

	CHECK(!kmem_alloc(0, KM_SLEEP));
	CHECK(kma_root.zero_sized == before + 1);
#else
	void *p = bsd_malloc(0, M_TEMP, M_WAITOK);
	void *q = bsd_malloc(0, M_TEMP, M_WAITOK);

	CHECK(p && q && p != q);
	bsd_free(p, M_TEMP);
	bsd_free(q, M_TEMP);
#endif
	return 0;
}
