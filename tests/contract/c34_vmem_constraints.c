/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contract 34: what constraints mean; 0 is an address, maxima are inclusive. */
#include "tests/contract/contract.h"

#include "kma/vmem.h"

#include <errno.h>
#include <stdint.h>

static struct kma_vmem *arena_of_three_spans(void)
{
	struct kma_vmem *vm = kma_vmem_create("spans", 0, 50, 1, NULL, 0, 0);

	CHECK(vm);
	CHECK(kma_vmem_add(vm, 100, 200, KMA_VM_SLEEP) == 0);
	CHECK(kma_vmem_add(vm, 2000, 1, KMA_VM_SLEEP) == 0);
	return vm;
}

static int within(struct kma_vmem *vm, size_t size, uintptr_t min,
		  uintptr_t max, uintptr_t *ret)
{
	return kma_vmem_xalloc(vm, size, 0, 0, 0, min, max, KMA_VM_NOSLEEP,
			       ret);
}

static void zero_is_an_address(void)
{
	struct kma_vmem *vm = arena_of_three_spans();
	uintptr_t at = 77;

	CHECK(within(vm, 50, 0, 49, &at) == 0 && at == 0);
	kma_vmem_xfree(vm, 0, 50);
	kma_vmem_destroy(vm);
}

static void bounds_are_inclusive(void)
{
	struct kma_vmem *vm = arena_of_three_spans();
	uintptr_t at;

	CHECK(within(vm, 50, 0, 48, &at) == ENOMEM);
	CHECK(within(vm, 51, 0, 99, &at) == ENOMEM); /* crosses no span */
	CHECK(within(vm, 1, 50, 99, &at) == ENOMEM);
	CHECK(within(vm, 1, 301, 1999, &at) == ENOMEM);
	CHECK(within(vm, 1, 2001, UINTPTR_MAX, &at) == ENOMEM);
	CHECK(within(vm, 1, 301, UINTPTR_MAX, &at) == 0 && at == 2000);
	kma_vmem_xfree(vm, at, 1);
	CHECK(within(vm, 201, 0, UINTPTR_MAX, &at) == ENOMEM);
	CHECK(within(vm, 200, 0, UINTPTR_MAX, &at) == 0 && at == 100);
	kma_vmem_xfree(vm, at, 200);
	kma_vmem_destroy(vm);
}

static void alignment_phase_and_nocross(void)
{
	struct kma_vmem *vm = arena_of_three_spans();
	uintptr_t at;

	CHECK(kma_vmem_xalloc(vm, 10, 128, 5, 0, 0, UINTPTR_MAX, KMA_VM_NOSLEEP,
			      &at) == 0);
	CHECK(at == 5 || at == 133);
	kma_vmem_xfree(vm, at, 10);
	CHECK(kma_vmem_xalloc(vm, 60, 1, 0, 64, 100, 299, KMA_VM_NOSLEEP,
			      &at) == 0);
	CHECK(at / 64 == (at + 59) / 64);
	kma_vmem_xfree(vm, at, 60);
	/* No multiple of 256 is near enough to leave 45 behind it. */
	CHECK(kma_vmem_xalloc(vm, 45, 256, 0, 0, 100, 299, KMA_VM_NOSLEEP,
			      &at) == ENOMEM);
	CHECK(kma_vmem_xalloc(vm, 44, 256, 0, 0, 100, 299, KMA_VM_NOSLEEP,
			      &at) == 0 &&
	      at == 256);
	kma_vmem_xfree(vm, at, 44);
	kma_vmem_destroy(vm);
}

static void the_end_of_all_numbers(void)
{
	uintptr_t last = UINTPTR_MAX - 4095;
	struct kma_vmem *vm =
		kma_vmem_create("last", last, 4096, 4096, NULL, 0, 0);
	uintptr_t at = 0;

	CHECK(vm && kma_vmem_contains(vm, UINTPTR_MAX, 1));
	CHECK(!kma_vmem_contains(vm, UINTPTR_MAX, 2));
	CHECK(kma_vmem_alloc(vm, 1, KMA_VM_NOSLEEP, &at) == 0 && at == last);
	CHECK(kma_vmem_alloc(vm, 1, KMA_VM_NOSLEEP, &at) == ENOMEM);
	kma_vmem_free(vm, last, 1);
	CHECK(within(vm, 4096, last, UINTPTR_MAX, &at) == 0 && at == last);
	kma_vmem_xfree(vm, last, 4096);
	kma_vmem_destroy(vm);
}

static void spans_are_checked(void)
{
	struct kma_vmem *vm = kma_vmem_create("q", 64, 64, 16, NULL, 0, 0);

	CHECK(vm);
	CHECK(kma_vmem_add(vm, 120, 16, 0) == EINVAL);
	CHECK(kma_vmem_add(vm, 112, 32, 0) == EINVAL); /* overlaps */
	CHECK(kma_vmem_add(vm, 128, 0, 0) == EINVAL);
	CHECK(kma_vmem_add(vm, UINTPTR_MAX - 15, 32, 0) == EINVAL);
	CHECK(kma_vmem_add(vm, 128, 32, 0) == 0);
	CHECK(kma_vmem_size(vm, KMA_VMEM_FREE) == 96);
	CHECK(!kma_vmem_contains(vm, 64, 96)); /* two spans */
	CHECK(!kma_vmem_create("bad", 0, 64, 12, NULL, 0, 0));
	CHECK(!kma_vmem_create("bad", 8, 64, 16, NULL, 0, 0));
	CHECK(!kma_vmem_create("bad", 0, 64, 16, NULL, 0, 1));
	kma_vmem_destroy(vm);
}

int main(void)
{
	zero_is_an_address();
	bounds_are_inclusive();
	alignment_phase_and_nocross();
	the_end_of_all_numbers();
	spans_are_checked();
	return 0;
}
