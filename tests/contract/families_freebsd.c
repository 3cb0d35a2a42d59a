/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Of the families program: FreeBSD's malloc, whose types are declared. */
#include "tests/contract/families.h"

#define KMA_BSD_NO_LIBC_NAMES
#define KMA_FREEBSD
#include <kma/bsd_malloc.h>

enum { PIECES = 12 };

MALLOC_DEFINE(M_FAMILY, "fam_type", "pieces of the families program");

void families_freebsd(void)
{
	static void *pieces[PIECES];

	for (int i = 0; i < PIECES; i++)
		pieces[i] = bsd_malloc(i % 2 ? 40 : 4000, M_FAMILY, M_WAITOK);
	families_keep(pieces);
}
