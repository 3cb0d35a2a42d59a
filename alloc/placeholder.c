/* SPDX-License-Identifier: BSD-2-Clause */
/* What dump.c will give, at its least. */
#include "alloc/dump.h"

#include <errno.h>

void kma_dump_init(void)
{
}

int kma_dump_write(enum kma_dump_reason reason, const void *siginfo,
		   const void *ucontext)
{
	(void)reason;
	(void)siginfo;
	(void)ucontext;
	return -ENOSYS;
}
