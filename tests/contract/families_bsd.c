/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Of the families program: typed malloc, and an object cache of illumos's
 * stands in families_illumos.c. */
#include "tests/contract/families.h"

#define KMA_BSD_NO_LIBC_NAMES
#include <kma/bsd_malloc.h>

enum { PIECES = 30 };

void *families_bsd(void)
{
	static void *pieces[PIECES];

	for (int i = 0; i < PIECES; i++)
		pieces[i] = bsd_malloc(200, i % 3 ? M_MOUNT : M_TEMP, M_WAITOK);
	families_keep(pieces);
	return pieces[1];
}
