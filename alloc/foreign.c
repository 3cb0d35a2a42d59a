/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three levels of twelve bits over the page numbers of a 48-bit address. A
 * table that was made stays, so readers need no lock.
 */
#include "alloc/foreign.h"

#include "alloc/client.h"
#include "alloc/meta.h"
#include "alloc/pages.h"

enum {
	LEVELS = KMA_FOREIGN_LEVELS,
	BITS = KMA_FOREIGN_BITS,
	SLOTS = 1 << BITS,
};

struct kma_lock kma_foreign_lock;
struct kma_foreign_table kma_foreign_memory;

static size_t slot_of(uintptr_t address, unsigned level)
{
	unsigned shift = KMA_PAGE_SHIFT + BITS * (LEVELS - 1 - level);

	return address >> shift & (SLOTS - 1);
}

static bool is_addressable(uintptr_t address)
{
	return address >> (KMA_PAGE_SHIFT + LEVELS * BITS) == 0;
}

/* What a slot leads to, made if wanted; NULL: nothing. */
static struct kma_foreign_table *follow(void **slot, bool make)
{
	struct kma_foreign_table *next =
		__atomic_load_n(slot, __ATOMIC_ACQUIRE);

	if (!next && make) {
		next = kma_meta_alloc(sizeof(*next));
		__atomic_store_n(slot, next, __ATOMIC_RELEASE);
	}
	return next;
}

/* The slot of an address; NULL: no table yet, and none to be made. */
static void **find_slot(struct kma_foreign_table *table, uintptr_t address,
			bool make)
{
	if (!is_addressable(address))
		return NULL;
	for (unsigned level = 0; table && level + 1 < LEVELS; level++)
		table = follow(&table->slot[slot_of(address, level)], make);
	return table ? &table->slot[slot_of(address, LEVELS - 1)] : NULL;
}

/* The table of a cache's pages; NULL: it has none yet. */
static struct kma_foreign_table *table_of(const struct kma_cache *cache,
					  bool make)
{
	if (!(cache->client->flags & KMA_NOTOUCH))
		return &kma_foreign_memory;
	return follow((void **)&cache->client->numbers, make);
}

/* All slots of the slab's pages; false: one could not be made. */
static bool set_slots(struct kma_foreign_table *table,
		      const struct kma_slab *slab, void *value)
{
	for (size_t i = 0; i < slab->pages; i++) {
		void **slot =
			find_slot(table, slab->base + (i << KMA_PAGE_SHIFT),
				  value != NULL);

		if (!slot && value)
			return false;
		if (slot)
			__atomic_store_n(slot, value, __ATOMIC_RELEASE);
	}
	return true;
}

bool kma_foreign_enter(struct kma_slab *slab)
{
	struct kma_foreign_table *table;
	bool done;

	kma_lock_acquire(&kma_foreign_lock);
	table = table_of(slab->cache, true);
	done = table && set_slots(table, slab, slab);
	if (table && !done)
		set_slots(table, slab, NULL);
	kma_lock_release(&kma_foreign_lock);
	return done;
}

void kma_foreign_remove(const struct kma_slab *slab)
{
	kma_lock_acquire(&kma_foreign_lock);
	set_slots(table_of(slab->cache, false), slab, NULL);
	kma_lock_release(&kma_foreign_lock);
}

static struct kma_slab *slab_at(struct kma_foreign_table *table,
				uintptr_t address)
{
	void **slot = find_slot(table, address, false);

	return slot ? __atomic_load_n(slot, __ATOMIC_ACQUIRE) : NULL;
}

static bool buffer_at(struct kma_foreign_table *table, uintptr_t address,
		      struct kma_buffer *ret)
{
	struct kma_slab *slab = slab_at(table, address);

	if (!slab || address < slab->origin)
		return false;

	uint64_t index = (address - slab->origin) / slab->stride;

	if (index >= slab->buffers)
		return false;
	*ret = (struct kma_buffer){
		.slab = slab,
		.index = (uint32_t)index,
		.start = slab->origin + index * slab->stride,
		.bufctl = slab->bufctls ? &slab->bufctls[index] : NULL,
	};
	return true;
}

bool kma_foreign_find(uintptr_t address, struct kma_buffer *ret)
{
	return buffer_at(&kma_foreign_memory, address, ret);
}

bool kma_foreign_find_in(const struct kma_cache *cache, uintptr_t address,
			 struct kma_buffer *ret)
{
	return buffer_at(table_of(cache, false), address, ret);
}

struct kma_slab *kma_foreign_slab(const struct kma_cache *cache,
				  uintptr_t address)
{
	return slab_at(table_of(cache, false), address);
}

static void each_below(struct kma_foreign_table *table, unsigned level,
		       uintptr_t page,
		       void (*each)(struct kma_slab *slab, void *context),
		       void *context)
{
	for (size_t i = 0; i < SLOTS; i++) {
		void *next = __atomic_load_n(&table->slot[i], __ATOMIC_ACQUIRE);
		const struct kma_slab *slab = next;
		uintptr_t below = (page << BITS) + i;

		if (!next)
			continue;
		if (level + 1 < LEVELS)
			each_below(next, level + 1, below, each, context);
		else if (slab->base >> KMA_PAGE_SHIFT == below)
			each(next, context);
	}
}

void kma_foreign_each(void (*each)(struct kma_slab *slab, void *context),
		      void *context)
{
	each_below(&kma_foreign_memory, 0, 0, each, context);
}

/* What a slot of a level covers. */
static uintptr_t reach_of(unsigned level)
{
	return (uintptr_t)1 << (KMA_PAGE_SHIFT + BITS * (LEVELS - 1 - level));
}

/* Step over what no table is there for. */
bool kma_foreign_touches(uintptr_t start, uintptr_t end)
{
	uintptr_t at = start & ~(reach_of(LEVELS - 1) - 1), step;

	for (; at < end && is_addressable(at); at = (at | (step - 1)) + 1) {
		struct kma_foreign_table *table = &kma_foreign_memory;
		unsigned level = 0;

		while (table && level + 1 < LEVELS)
			table = follow(&table->slot[slot_of(at, level++)],
				       false);
		step = reach_of(table ? level : level - 1);
		if (table && __atomic_load_n(&table->slot[slot_of(at, level)],
					     __ATOMIC_ACQUIRE))
			return true;
	}
	return false;
}
