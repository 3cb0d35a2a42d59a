/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flags that say nothing, or two things, or come from another kernel. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

static void ask(void *argument)
{
	kmem_alloc(8, *(unsigned *)argument);
}

static void ask_native(void *argument)
{
	kma_alloc(8, *(unsigned *)argument);
}

int main(void)
{
	unsigned none = 0, both = KM_SLEEP | KM_NOSLEEP, other = 0x100;
	unsigned illumos_sleep = 0, illumos_nosleep = 1;
	unsigned two = KMA_SLEEP | KMA_NOSLEEP;

	EXPECT_REPORT(ask, &none, "BADFLAGS", "kmem_alloc");
	EXPECT_REPORT(ask, &both, "BADFLAGS", "kmem_alloc");
	EXPECT_REPORT(ask, &other, "BADFLAGS", "kmem_alloc");
	EXPECT_REPORT(ask_native, &illumos_sleep, "BADFLAGS", "kma_alloc");
	EXPECT_REPORT(ask_native, &illumos_nosleep, "BADFLAGS", "0x1");
	EXPECT_REPORT(ask_native, &two, "BADFLAGS", "0x300");
	return 0;
}
