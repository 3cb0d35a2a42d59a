/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three levels of twelve bits over the page numbers of a 48-bit address. A
 * table that was made stays, so readers need no lock.
 */
#include "alloc/foreign.h"

#include "alloc/meta.h"
#include "alloc/pages.h"

enum { LEVELS = 3, BITS = 12, SLOTS = 1 << BITS };

struct table {
	void *slot[SLOTS]; /* a table; in the last level a slab */
};

struct kma_lock kma_foreign_lock;
static struct table top;

static size_t slot_of(uintptr_t address, unsigned level)
{
	unsigned shift = KMA_PAGE_SHIFT + BITS * (LEVELS - 1 - level);

	return address >> shift & (SLOTS - 1);
}

/* The slot of an address; NULL: no table yet, and none to be made. */
static void **find_slot(uintptr_t address, bool make)
{
	struct table *table = &top;

	for (unsigned level = 0; level + 1 < LEVELS; level++) {
		void **slot = &table->slot[slot_of(address, level)];
		struct table *next = __atomic_load_n(slot, __ATOMIC_ACQUIRE);

		if (!next && make) {
			next = kma_meta_alloc(sizeof(*next));
			__atomic_store_n(slot, next, __ATOMIC_RELEASE);
		}
		if (!next)
			return NULL;
		table = next;
	}
	return &table->slot[slot_of(address, LEVELS - 1)];
}

static bool is_addressable(uintptr_t address)
{
	return address >> (KMA_PAGE_SHIFT + LEVELS * BITS) == 0;
}

bool kma_foreign_set(uintptr_t base, size_t pages, struct kma_slab *slab)
{
	bool done = is_addressable(base) &&
		    is_addressable(base + (pages << KMA_PAGE_SHIFT) - 1);

	kma_lock_acquire(&kma_foreign_lock);
	for (size_t i = 0; done && i < pages; i++) {
		void **slot =
			find_slot(base + (i << KMA_PAGE_SHIFT), slab != NULL);

		if (slot)
			__atomic_store_n(slot, slab, __ATOMIC_RELEASE);
		else
			done = slab == NULL;
	}
	kma_lock_release(&kma_foreign_lock);
	return done;
}

bool kma_foreign_find(uintptr_t address, struct kma_buffer *ret)
{
	void **slot =
		is_addressable(address) ? find_slot(address, false) : NULL;
	struct kma_slab *slab =
		slot ? __atomic_load_n(slot, __ATOMIC_ACQUIRE) : NULL;

	if (!slab || address - slab->base < slab->first)
		return false;
	uint64_t index = (address - slab->base - slab->first) / slab->stride;

	if (index >= slab->buffers)
		return false;
	*ret = (struct kma_buffer){
		.slab = slab,
		.index = (uint32_t)index,
		.start = slab->base + slab->first + index * slab->stride,
	};
	return true;
}
