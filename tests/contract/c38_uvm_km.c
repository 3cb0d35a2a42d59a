/* SPDX-License-Identifier: GPL-3.0-or-later */
/* uvm_km: addresses alone fault, pageable memory comes when it is touched,
 * wired memory is there; what is given back is what was had. */
#include "tests/contract/kernel.h"

#include <kma/netbsd.h>
#include <sys/mman.h>

enum { PAGE = 4096, PAGES = 16, SIZE = PAGES * PAGE };

struct freeing {
	struct vm_map *map;
	vaddr_t address;
	vsize_t size;
	uvm_flag_t type;
};

static void touch(void *p)
{
	*(volatile char *)p = 1;
}

static void give_back(void *argument)
{
	const struct freeing *f = argument;

	uvm_km_free(f->map, f->address, f->size, f->type);
}

static unsigned resident(vaddr_t address)
{
	unsigned char there[PAGES];
	unsigned count = 0;

	CHECK(mincore((void *)address, SIZE, there) == 0);
	for (int i = 0; i < PAGES; i++)
		count += there[i] & 1;
	return count;
}

static void check_va_only(void)
{
	vaddr_t va = uvm_km_alloc(kernel_map, SIZE, 0, UVM_KMF_VAONLY);
	struct outcome *outcome;

	CHECK(va && va % PAGE == 0);
	outcome = run_child(touch, (void *)va);
	CHECK(WIFSIGNALED(outcome->status) &&
	      WTERMSIG(outcome->status) == SIGSEGV);
	uvm_km_free(kernel_map, va, SIZE, UVM_KMF_VAONLY);
}

static void check_memory(uvm_flag_t type)
{
	vaddr_t va = uvm_km_alloc(kernel_map, SIZE, 16 * PAGE,
				  type | UVM_KMF_ZERO | UVM_KMF_WAITVA);
	unsigned char *p = (unsigned char *)va;

	CHECK(va && va % (16 * PAGE) == 0);
	CHECK(resident(va) == (type == UVM_KMF_WIRED ? PAGES : 0));
	p[5 * PAGE] = 1;
	if (type == UVM_KMF_PAGEABLE)
		CHECK(resident(va) < PAGES);
	p[5 * PAGE] = 0;
	for (int i = 0; i < SIZE; i++)
		CHECK(p[i] == 0);
	memset(p, 0xff, SIZE);
	uvm_km_free(kernel_map, va, SIZE, type);
	va = uvm_km_alloc(kernel_map, SIZE, 0, type);
	for (int i = 0; i < SIZE; i++)
		CHECK(((unsigned char *)va)[i] == 0);
	uvm_km_free(kernel_map, va, SIZE, type);
}

static void check_misuse(void)
{
	vaddr_t va = uvm_km_alloc(kernel_map, SIZE, 0, UVM_KMF_PAGEABLE);
	vaddr_t min = 0, max = 0;
	struct vm_map *submap =
		uvm_km_suballoc(kernel_map, &min, &max, SIZE, 0, false, NULL);
	struct freeing type = { kernel_map, va, SIZE, UVM_KMF_WIRED };
	struct freeing size = { kernel_map, va, SIZE - PAGE, UVM_KMF_PAGEABLE };
	struct freeing map = { submap, va, SIZE, UVM_KMF_PAGEABLE };

	EXPECT_REPORT(give_back, &type, "BADTYPE", "uvm_km_free");
	EXPECT_REPORT(give_back, &size, "BADSIZE", "uvm_km_free");
	EXPECT_REPORT(give_back, &map, "BADADDR", "uvm_km_free");
	uvm_km_free(kernel_map, va, SIZE, UVM_KMF_PAGEABLE);
	EXPECT_REPORT(give_back, &size, "BADADDR", "uvm_km_free");
}

static void check_submap(void)
{
	vaddr_t hint = uvm_km_alloc(kernel_map, SIZE, 0, UVM_KMF_VAONLY);
	vaddr_t min = hint, max = 0, va;
	struct vm_map *submap;

	uvm_km_free(kernel_map, hint, SIZE, UVM_KMF_VAONLY);
	submap = uvm_km_suballoc(kernel_map, &min, &max, SIZE, 0, true, NULL);
	CHECK(submap && min == hint && max == hint + SIZE);
	va = uvm_km_alloc(submap, SIZE, 0, UVM_KMF_WIRED);
	CHECK(va == min);
	CHECK(!uvm_km_alloc(submap, PAGE, 0, UVM_KMF_WIRED | UVM_KMF_NOWAIT));
	uvm_km_free(submap, va, SIZE, UVM_KMF_WIRED);
	CHECK(!uvm_km_va_starved_p());
}

int main(void)
{
	check_va_only();
	check_memory(UVM_KMF_PAGEABLE);
	check_memory(UVM_KMF_WIRED);
	check_misuse();
	check_submap();
	return 0;
}
