/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes back to an arena. A signal handler that interrupted the library
 * cannot give it: the locks may be the thread's own. What it frees waits in a
 * place of a table for the next call that may take them:
 *
 *	free --> being written --> waits --> being read --> free
 */
#include "alloc/vmem.h"

#include "alloc/intr.h"
#include "alloc/report.h"
#include "alloc/thread.h"
#include "alloc/vmem_impl.h"
#include "alloc/wait.h"

static void settle_free(struct kma_vmem *vmem, const char *function,
			enum kma_vmem_freed freed, uintptr_t address,
			size_t size, size_t found)
{
	struct kma_report report = {
		.code = freed == KMA_VMEM_BAD_SIZE ? KMA_ERROR_BADSIZE
						   : KMA_ERROR_BADADDR,
		.function = function,
		.vmem = vmem,
		.address = address,
		.claimed_size = size,
		.real_size = found,
	};

	if (freed != KMA_VMEM_FREED)
		kma_report(&report);
}

static void free_given(struct kma_vmem *vmem, uintptr_t address, size_t size)
{
	enum kma_vmem_freed freed = KMA_VMEM_NOT_THERE;
	size_t found = 0;

	if (vmem->qcache_count) /* a wrong size may be of a piece, too */
		freed = kma_vmem_qcache_put(vmem, address, size, &found);
	if (freed == KMA_VMEM_NOT_THERE)
		freed = kma_vmem_put(vmem, address, size,
				     size <= vmem->qcache_max
					     ? KMA_VMEM_BY_ALLOC
					     : KMA_VMEM_BY_XALLOC,
				     &found);
	else if (freed == KMA_VMEM_FREED)
		kma_wait_wake_fenced();
	settle_free(vmem, "kma_vmem_free", freed, address, size, found);
}

static void free_exact(struct kma_vmem *vmem, uintptr_t address, size_t size)
{
	size_t found = 0;
	enum kma_vmem_freed freed =
		kma_vmem_put(vmem, address, size, KMA_VMEM_BY_XALLOC, &found);

	settle_free(vmem, "kma_vmem_xfree", freed, address, size, found);
}

/* --- what waits ------------------------------------------------------------
 */

enum { PLACES = 256 };

enum place_state { PLACE_FREE, PLACE_WRITTEN, PLACE_WAITS };

static struct place {
	uint32_t state; /* enum place_state; who changes it has the rest */
	bool is_exact;
	struct kma_vmem *vmem;
	uintptr_t address;
	size_t size;
} places[PLACES];

uint32_t kma_vmem_deferred_count;

static bool change(struct place *place, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&place->state, &from, to, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void settle(struct place *place, enum place_state state)
{
	__atomic_store_n(&place->state, state, __ATOMIC_RELEASE);
}

static void defer(struct kma_vmem *vmem, uintptr_t address, size_t size,
		  bool is_exact)
{
	for (unsigned i = 0; i < PLACES; i++) {
		struct place *place = &places[i];

		if (!change(place, PLACE_FREE, PLACE_WRITTEN))
			continue;
		place->is_exact = is_exact;
		place->vmem = vmem;
		place->address = address;
		place->size = size;
		settle(place, PLACE_WAITS);
		__atomic_add_fetch(&kma_vmem_deferred_count, 1,
				   __ATOMIC_RELEASE);
		return;
	}
}

void kma_vmem_free_deferred(void)
{
	for (unsigned i = 0; i < PLACES && kma_vmem_deferred_count; i++) {
		struct place *place = &places[i], taken;

		if (!change(place, PLACE_WAITS, PLACE_WRITTEN))
			continue;
		taken = *place;
		__atomic_sub_fetch(&kma_vmem_deferred_count, 1,
				   __ATOMIC_RELAXED);
		settle(place, PLACE_FREE);
		if (taken.is_exact)
			free_exact(taken.vmem, taken.address, taken.size);
		else
			free_given(taken.vmem, taken.address, taken.size);
	}
}

/* --- the calls -------------------------------------------------------------
 */

/* False: the free has been put off, as its locks may be this thread's own. */
static bool may_free(struct kma_vmem *vmem, const char *function,
		     uintptr_t address, size_t size, bool is_exact)
{
	bool inside = kma_thread_inside(kma_self);

	if (!inside && !kma_intr_depth_now()) {
		if (kma_vmem_deferred_count)
			kma_vmem_free_deferred();
		return true;
	}
	if (!kma_vmem_is_safe(vmem))
		kma_intr_refuse(function, vmem->name);
	if (inside)
		defer(vmem, address, size, is_exact);
	return !inside;
}

void kma_vmem_free(struct kma_vmem *vmem, uintptr_t address, size_t size)
{
	if (may_free(vmem, "kma_vmem_free", address, size, false))
		free_given(vmem, address, size);
}

void kma_vmem_xfree(struct kma_vmem *vmem, uintptr_t address, size_t size)
{
	if (may_free(vmem, "kma_vmem_xfree", address, size, true))
		free_exact(vmem, address, size);
}
