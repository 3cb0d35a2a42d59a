/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What else NetBSD's manual pages and headers have. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>

static char told[4096];

static void tell(const char *format, ...)
{
	size_t used = strlen(told);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(told + used, sizeof(told) - used, format, arguments);
	va_end(arguments);
}

static void check_told(const char *words)
{
	if (!strstr(told, words)) {
		dprintf(2, "not told: %s\n%s", words, told);
		_exit(1);
	}
	told[0] = '\0';
}

static void check_tmpbuf(void)
{
	char small[64];
	void *p = kmem_tmpbuf_alloc(64, small, sizeof(small), KM_SLEEP);

	CHECK(p == small);
	kmem_tmpbuf_free(p, 64, small);
	p = kmem_tmpbuf_alloc(65, small, sizeof(small), KM_SLEEP);
	CHECK(p != small);
	kmem_tmpbuf_free(p, 65, small);
}

/* The physical address that an object was put with comes back with it. */
static void check_paddr(void)
{
	pool_cache_t cache = pool_cache_init(100, 0, 0, 0, "paddr", NULL,
					     IPL_NONE, NULL, NULL, NULL);
	paddr_t pa = 0;
	void *object = pool_cache_get_paddr(cache, PR_WAITOK, &pa);

	CHECK(pa == POOL_PADDR_INVALID);
	pool_cache_put_paddr(cache, object, 0x1234000);
	/* Audited objects wait before they are handed out again. */
	void *next = pool_cache_get_paddr(cache, PR_WAITOK, &pa);

	CHECK(next == object || tier_is("audit"));
	CHECK(pa == (next == object ? 0x1234000 : POOL_PADDR_INVALID));
	pool_cache_put_paddr(cache, next, POOL_PADDR_INVALID);
	next = pool_cache_get_paddr(cache, PR_WAITOK, &pa);
	CHECK(pa == POOL_PADDR_INVALID);
	pool_cache_put(cache, next);
	pool_cache_destroy(cache);
}

static void check_pools(void)
{
	struct pool first, second, *drained = NULL;
	void *item;

	pool_init(&first, 1000, 0, 0, 0, "firstpl", NULL, IPL_NONE);
	pool_init(&second, 1000, 0, 0, 0, "secondpl", NULL, IPL_NONE);
	CHECK(pool_totalpages() == 0);
	item = pool_get(&second, PR_WAITOK);
	CHECK(pool_totalpages() > 0);
	pool_printit(&second, "", tell);
	check_told("POOL secondpl: size 1000");
	pool_printall("", tell);
	CHECK(strstr(told, "firstpl"));
	check_told("secondpl");
	pool_whatis((uintptr_t)item + 10, tell);
	check_told("in POOL 'secondpl'");
	pool_put(&second, item);
	pool_inactive_time = 0;
	CHECK(pool_drain(&drained) && drained == &second);
	CHECK(!pool_drain(&drained) && !drained);
	pool_destroy(&first);
	pool_destroy(&second);
}

static void check_vmem(void)
{
	vmem_t *vm = vmem_init(NULL, "manual", 0x1000, 0x1000, 0x100, NULL,
			       NULL, NULL, 0, VM_SLEEP, IPL_NONE);
	vmem_addr_t address;

	CHECK(vm != NULL);
	CHECK(vmem_alloc(vm, 0x100, VM_SLEEP | VM_INSTANTFIT, &address) == 0);
	vmem_print((uintptr_t)vm, "", tell);
	CHECK(strstr(told, "busy") && strstr(told, "free"));
	check_told("span");
	vmem_printall("", tell);
	CHECK(strstr(told, "busy"));
	check_told("VMEM 'manual'");
	vmem_whatis(address + 7, tell);
	check_told("+7 in VMEM 'manual' (allocated)");
	vmem_whatis(0x1fff, tell);
	check_told("in VMEM 'manual' (free)");
	CHECK(vmem_roundup_size(vm, 0x101) == 0x200);
	vmem_free(vm, address, 0x100);
	vmem_destroy(vm);
}

static void check_xalloc(void)
{
	vmem_t *vm = vmem_create("exact", 0x1000, 0x1000, 0x10, NULL, NULL,
				 NULL, 0, VM_SLEEP, IPL_NONE);
	vmem_addr_t address;

	CHECK(vmem_xalloc_addr(vm, 0x1800, 0x20, VM_NOSLEEP | VM_INSTANTFIT) ==
	      0);
	CHECK(vmem_xalloc_addr(vm, 0x1810, 0x20, VM_NOSLEEP | VM_INSTANTFIT) ==
	      ENOMEM);
	CHECK(vmem_xalloc_addr(vm, 0x3000, 0x20, VM_SLEEP | VM_INSTANTFIT) ==
	      ENOMEM);
	CHECK(vmem_xalloc(vm, 7, 0, 0, 0, VMEM_ADDR_MIN, VMEM_ADDR_MAX,
			  VM_SLEEP | VM_BESTFIT, &address) == 0);
	CHECK(vmem_alloc(vm, 9, VM_SLEEP | VM_BESTFIT, &address) == 0);
	CHECK(vmem_size(vm, VMEM_ALLOC) == 0x40);
	vmem_xfreeall(vm);
	CHECK(vmem_size(vm, VMEM_ALLOC) == 0);
	CHECK(vmem_alloc(kmem_arena, 4096, VM_SLEEP | VM_INSTANTFIT,
			 &address) == 0);
	*(volatile char *)address = 1;
	vmem_free(kmem_arena, address, 4096);
	vmem_subsystem_init(vm);
	vmem_rehash_start();
	vmem_destroy(vm);
}

/* Made before main() is called. */
POOL_INIT(early, 48, 0, 0, 0, "early", NULL, IPL_NONE);

static void check_early(void)
{
	pool_cache_t cache = pool_cache_init(48, 0, 0, 0, "counted", NULL,
					     IPL_NONE, NULL, NULL, NULL);
	void *item = pool_get(&early, PR_WAITOK);

	CHECK(item && pool_nget(&early) == 1);
	CHECK(pool_totalpages_locked() == pool_totalpages());
	pool_put(&early, item);
	pool_destroy(&early);
	item = pool_cache_get(cache, PR_WAITOK);
	CHECK(pool_cache_nget(cache) == 1 && pool_cache_nput(cache) == 0);
	pool_cache_put(cache, item);
	CHECK(pool_cache_nput(cache) == 1);
	pool_cache_destroy(cache);
}

static unsigned counted;

static void count_part(void *part, void *arg, struct cpu_info *ci)
{
	CHECK(*(int *)part == 0 && arg == &counted && ci->ci_index < 4096);
	counted++;
}

static void check_percpu(void)
{
	struct cpu_info first = { 0 };
	percpu_t *percpu = percpu_create(8, count_part, count_part, &counted);
	unsigned parts = counted;

	CHECK(percpu && parts > 0);
	percpu_foreach_xcall(percpu, 0, count_part, &counted);
	CHECK(counted == 2 * parts);
	CHECK(percpu_getptr_remote(percpu, &first));
	percpu_free(percpu, 8);
	CHECK(counted == 3 * parts);
}

__attribute__((format(printf, 1, 2))) static char *print(const char *format,
							 ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = kmem_vasprintf(format, arguments);
	va_end(arguments);
	return text;
}

int main(void)
{
	char *text;

	kmem_init();
	text = print("%d of %s", 3, "four");
	CHECK(strcmp(text, "3 of four") == 0);
	kmem_free(text, sizeof("3 of four"));
	check_percpu();
	check_tmpbuf();
	check_paddr();
	check_pools();
	check_vmem();
	check_xalloc();
	check_early();
	return 0;
}
