/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What else the BSDs' manual pages have: FreeBSD's forms, and with
 * KMA_TEST_386BSD the pages below 386BSD's malloc. */
#include "tests/contract/kernel.h"

#define KMA_BSD_NO_LIBC_NAMES
#ifndef KMA_TEST_386BSD
#define KMA_FREEBSD
#endif
#include <kma/bsd_malloc.h>

#ifdef KMA_TEST_386BSD

int main(void)
{
	vm_map_t map = kmem_suballoc(1 << 20, 0);
	vm_offset_t page, rest;

	CHECK(map);
	page = kmem_alloc(map, 5000, M_WAITOK);
	CHECK(page && page % 4096 == 0);
	for (int i = 0; i < 8192; i++)
		CHECK(((char *)page)[i] == 0);
	rest = kmem_alloc(map, 1 << 20, M_NOWAIT);
	CHECK(!rest);
	kmem_free(map, page, 5000);
	rest = kmem_alloc(map, 1 << 20, M_NOWAIT | M_SPACE_ONLY);
	CHECK(rest);
	kmem_free(map, rest, 1 << 20);
	return 0;
}

#else

MALLOC_DEFINE(M_MANUAL, "manual", "for this test");

int main(void)
{
	struct kma_type *type;

	for (size_t align = 16; align <= 4096; align *= 2) {
		char *p = bsd_malloc_aligned(100, align, M_MANUAL, M_WAITOK);

		CHECK(p && (uintptr_t)p % align == 0);
		CHECK(bsd_malloc_usable_size(p) >= 100);
		memset(p, 1, 100);
		bsd_zfree(p, M_MANUAL);
	}
	type = kma_bsd_type(M_MANUAL);
	CHECK(kma_type_stat(type, "inuse") == 0);
	CHECK(kma_type_stat(type, "memuse") == 0);
	return 0;
}

#endif
