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

static void check_contig(void)
{
	char *p = contigmalloc(5000, M_MANUAL, M_WAITOK | M_ZERO, 0,
			       ~(vm_paddr_t)0, 8192, 65536);

	CHECK(p && (uintptr_t)p % 8192 == 0);
	CHECK((uintptr_t)p / 65536 == ((uintptr_t)p + 4999) / 65536);
	for (int i = 0; i < 5000; i++)
		CHECK(p[i] == 0);
	contigfree(p, 5000, M_MANUAL);
	p = contigmalloc(40000, M_MANUAL, M_WAITOK, 0, ~(vm_paddr_t)0, 1,
			 65536);
	CHECK((uintptr_t)p / 65536 == ((uintptr_t)p + 39999) / 65536);
	contigfree(p, 40000, M_MANUAL);
}

static void check_domains(void)
{
	char *p = bsd_malloc_domainset_aligned(
		100, 512, M_TEMP, DOMAINSET_PREF(0), M_WAITOK | M_NEVERFREED);

	CHECK(p && (uintptr_t)p % 512 == 0);
	bsd_free(p, M_TEMP);
	CHECK(!bsd_mallocarray_domainset(SIZE_MAX / 2, 4, M_DEVBUF,
					 DOMAINSET_RR(), M_NOWAIT));
	CHECK(WOULD_OVERFLOW(SIZE_MAX / 2, 4) && !WOULD_OVERFLOW(3, 4));
	CHECK(kma_type_stat(kma_bsd_type(M_TEMP), "inuse") == 0);
}

/* --- zone(9) ---------------------------------------------------------------
 */

static int inits, ctors;

static int item_init(void *mem, int size, int flags)
{
	CHECK(mem && size == 200 && (flags == M_WAITOK || flags == M_NOWAIT));
	inits++;
	return 0;
}

static void item_fini(void *mem, int size)
{
	CHECK(mem && size == 200);
	inits--;
}

/* Fails when it is told to. */
static int item_ctor(void *mem, int size, void *arg, int flags)
{
	CHECK(mem && size == 200 && flags & (M_WAITOK | M_NOWAIT));
	ctors++;
	return arg == &ctors ? ENOMEM : 0;
}

static void item_dtor(void *mem, int size, void *arg)
{
	CHECK(mem && size == 200 && !arg);
	ctors--;
}

static void check_zone(void)
{
	uma_zone_t zone = uma_zcreate("zone", 200, item_ctor, item_dtor,
				      item_init, item_fini, UMA_ALIGN_CACHE, 0);
	void *item[10];

	CHECK(zone);
	uma_prealloc(zone, 20);
	CHECK(uma_zone_set_max(zone, 10) == 10 && uma_zone_get_max(zone) == 10);
	for (int i = 0; i < 10; i++) {
		item[i] = uma_zalloc(zone, M_WAITOK | M_ZERO);
		CHECK(item[i] && (uintptr_t)item[i] % 64 == 0);
		CHECK(*(char *)item[i] == 0);
	}
	CHECK(uma_zone_get_cur(zone) == 10 && ctors == 10 && inits >= 10);
	CHECK(!uma_zalloc(zone, M_NOWAIT));
	uma_zfree(zone, item[9]);
	CHECK(!uma_zalloc_arg(zone, &ctors, M_NOWAIT)); /* it failed */
	ctors--;
	for (int i = 0; i < 9; i++)
		uma_zfree(zone, item[i]);
	uma_zfree(zone, NULL);
	CHECK(uma_zone_get_cur(zone) == 0 && ctors == 0);
	uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN);
	uma_zdestroy(zone);
	CHECK(inits == 0);
}

/* --- vmem(9) ---------------------------------------------------------------
 */

static vmem_size_t imported;
static unsigned reclaims;
static vmem_addr_t held;

static int import_some(void *arg, vmem_size_t size, int flags,
		       vmem_addr_t *address)
{
	CHECK(arg == &imported && size % 0x100 == 0);
	CHECK((flags & (M_WAITOK | M_NOWAIT)) != 0);
	if (imported)
		return ENOMEM;
	imported = size;
	*address = 0x10000;
	return 0;
}

static void release_some(void *arg, vmem_addr_t address, vmem_size_t size)
{
	CHECK(arg == &imported && address == 0x10000 && size == imported);
	imported = 0;
}

static void give_up(vmem_t *vm, int flags)
{
	CHECK(flags == M_NOWAIT || flags == M_WAITOK);
	reclaims++;
	if (held)
		vmem_free(vm, held, 0x100);
	held = 0;
}

static void check_import(void)
{
	vmem_t *vm = vmem_create("imports", 0, 0, 0x10, 0, M_WAITOK);
	vmem_addr_t address;

	vmem_set_import(vm, import_some, release_some, &imported, 0x100);
	CHECK(vmem_alloc(vm, 0x20, M_WAITOK | M_BESTFIT, &address) == 0);
	CHECK(address >= 0x10000 && imported == 0x100);
	CHECK(vmem_size(vm, VMEM_MAXFREE) == 0xe0);
	CHECK(vmem_size(vm, VMEM_ALLOC | VMEM_FREE) == 0x100);
	vmem_free(vm, address, 0x20);
	CHECK(imported == 0);
	vmem_destroy(vm);
}

static void check_reclaim(void)
{
	vmem_t *vm = vmem_create("reclaims", 0x1000, 0x200, 0x10, 0, M_WAITOK);
	vmem_addr_t address;

	vmem_set_reclaim(vm, give_up);
	CHECK(vmem_alloc(vm, 0x100, M_NOWAIT | M_FIRSTFIT, &held) == 0);
	CHECK(vmem_alloc(vm, 0x100, M_NOWAIT | M_FIRSTFIT, &address) == 0);
	vmem_free(vm, address, 0x100);
	CHECK(reclaims == 0);
	CHECK(vmem_xalloc(vm, 0x180, 0, 0, 0, VMEM_ADDR_MIN, VMEM_ADDR_MAX,
			  M_WAITOK | M_BESTFIT, &address) == 0);
	CHECK(reclaims == 1);
	vmem_xfree(vm, address, 0x180);
	vmem_set_limit(vm, 0x80);
	CHECK(vmem_alloc(vm, 0x100, M_NOWAIT | M_NEXTFIT, &address) == ENOMEM);
	CHECK(vmem_roundup_size(vm, 3) == 0x10);
	CHECK(vmem_add(vm, 0x4000, 0x100, M_WAITOK) == 0);
	vmem_destroy(vm);
}

int main(void)
{
	struct kma_type *type;

	check_contig();
	check_domains();
	check_zone();
	check_import();
	check_reclaim();

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
