/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A free with another type is told, with both names, and changes no account;
 * a number that is no type is told before any table is looked at. */
#include "tests/contract/kernel.h"

#define KMA_BSD_NO_LIBC_NAMES
#include <kma/bsd_malloc.h>

static void free_as(void *argument)
{
	bsd_free(bsd_malloc(100, M_MOUNT, M_WAITOK), *(int *)argument);
}

static void allocate_as(void *argument)
{
	bsd_malloc(100, *(int *)argument, M_WAITOK);
}

int main(void)
{
	int other = M_TEMP, last = M_LAST, negative = -1, far = 1 << 30;
	void *p = bsd_malloc(100, M_MOUNT, M_WAITOK);

	EXPECT_REPORT(free_as, &other, "BADTYPE", "temp, allocated as mount");
	EXPECT_REPORT(free_as, &last, "BADTYPE", NULL);
	EXPECT_REPORT(free_as, &negative, "BADTYPE", NULL);
	EXPECT_REPORT(allocate_as, &last, "BADTYPE", NULL);
	EXPECT_REPORT(allocate_as, &negative, "BADTYPE", NULL);
	EXPECT_REPORT(allocate_as, &far, "BADTYPE", NULL);
	CHECK(kma_type_stat(kma_type_numbered(M_MOUNT), "inuse") == 1);
	bsd_free(p, M_MOUNT);
	CHECK(kma_type_stat(kma_type_numbered(M_MOUNT), "inuse") == 0);
	CHECK(kma_type_stat(kma_type_numbered(M_MOUNT), "memuse") == 0);
	return 0;
}
