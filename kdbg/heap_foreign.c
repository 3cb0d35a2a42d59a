/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Slabs on pages that clients of caches brought: a pool's own page allocator,
 * an arena. The page map does not know of them; a radix table of the
 * allocator's leads from each of their pages to the slab's header.
 *
 *	kma_root.foreign --> slots --> slots --> headers of slabs
 *
 * A slab is believed when the table has its header for just the pages that it
 * says it has. Then its pages are looked up like the heap's: where they lie in
 * an instance's heap part, as a buffer's bytes (the carrier's) or a piece of an
 * arena, by that part's table; elsewhere by a range of their own, one for slabs
 * that lie close to each other.
 */
#include "kdbg/heap_clients.h"
#include "kdbg/heap_impl.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LEVELS_MAX = 4, BITS_MAX = 14, GAP_MAX = 256 /* pages in a range */ };

/* Slabs as the tables tell of them. */
struct found {
	struct heap_slab *list;
	size_t count;
};

struct table_walk {
	struct heap *heap;
	size_t instance;
	unsigned levels, bits;
	size_t tables_left;
	struct address_set seen;
	struct found *found;
	/* Pages one after the other of the same header; 0: none. */
	uint64_t header, page, pages;
};

static const struct instance *part_of(const struct table_walk *walk)
{
	return &walk->heap->parts[walk->instance];
}

/* --- headers ----------------------------------------------------------------
 */

static const char *header_reason(const struct table_walk *walk,
				 const struct heap_slab *slab)
{
	unsigned shift = part_of(walk)->page_shift;

	if (slab->base != walk->page << shift)
		return "does not begin at its first page";
	if (slab->size != walk->pages << shift)
		return "does not have all its pages in the table";
	return heap_slab_reason(slab);
}

static struct err *read_slab(struct table_walk *walk, struct heap_slab *ret)
{
	const struct instance *part = part_of(walk);
	const struct heap_layout *layout = &part->layout;
	const unsigned char *record;
	const char *reason;
	struct err *err = heap_record(walk->heap, &layout->kma_slab.self,
				      walk->header, &record);

	if (err)
		return err_wrap(err, "slab %#" PRIx64, walk->header);
	*ret = heap_slab_record(layout, walk->header, record, part->page_shift);
	ret->foreign = true;
	reason = header_reason(walk, ret);
	if (!reason &&
	    !heap_cache_find(walk->heap,
			     record_uint(record, &layout->kma_slab.cache),
			     &ret->cache))
		reason = "is of no known cache";
	if (reason)
		return err_new(ERR_CORRUPT, "slab %#" PRIx64 " %s",
			       walk->header, reason);
	return NULL;
}

static void keep(struct table_walk *walk, const struct heap_slab *slab)
{
	struct found *found = walk->found;
	struct heap_slab *grown =
		heap_grow(found->list, found->count, sizeof(*grown));

	if (!grown) {
		heap_note(walk->heap, 0, "out of memory for slabs");
		return;
	}
	found->list = grown;
	grown[found->count++] = *slab;
}

static void end_run(struct table_walk *walk)
{
	struct heap_slab slab;
	struct err *err;

	if (!walk->header)
		return;
	err = read_slab(walk, &slab);
	if (err) {
		heap_note_err(walk->heap, walk->header, err);
		walk->heap->slabs_refused++;
	} else {
		keep(walk, &slab);
	}
	walk->header = 0;
}

/* --- tables -----------------------------------------------------------------
 */

static void visit_page(struct table_walk *walk, uint64_t page, uint64_t header)
{
	if (header != walk->header || page != walk->page + walk->pages) {
		end_run(walk);
		walk->header = header;
		walk->page = page;
		walk->pages = 0;
	}
	walk->pages++;
}

/* One that a table leads to again would have no end. */
static bool is_new(struct table_walk *walk, uint64_t address)
{
	if (walk->tables_left == 0 || address % sizeof(uint64_t) != 0 ||
	    !address_set_add(&walk->seen, address)) {
		heap_note(walk->heap, address,
			  "table of brought pages at %#" PRIx64
			  ": not believed",
			  address);
		return false;
	}
	walk->tables_left--;
	return true;
}

static void visit_table(struct table_walk *walk, uint64_t address,
			unsigned level, uint64_t above)
{
	size_t count = (size_t)1 << walk->bits;
	const unsigned char *slots;
	const void *view;
	struct err *err;

	if (!is_new(walk, address))
		return;
	err = target_view(walk->heap->target, address, count * sizeof(uint64_t),
			  &view);
	if (err) {
		heap_note_err(walk->heap, address,
			      err_wrap(err, "table of brought pages"));
		return;
	}
	slots = view;
	for (size_t i = 0; i < count; i++) {
		uint64_t slot =
			record_integer(slots + i * sizeof(slot), sizeof(slot));
		uint64_t below = above << walk->bits | i;

		if (slot && level + 1 < walk->levels)
			visit_table(walk, slot, level + 1, below);
		else if (slot)
			visit_page(walk, below, slot);
	}
}

static void read_tables(struct heap *heap, size_t instance, struct found *found)
{
	const struct instance *part = &heap->parts[instance];
	const struct heap_layout *layout = &part->layout;
	uint64_t levels = layout->constants.KMA_FOREIGN_LEVELS.value;
	uint64_t bits = layout->constants.KMA_FOREIGN_BITS.value;
	struct table_walk walk = {
		.heap = heap,
		.instance = instance,
		.tables_left = HEAP_FOREIGN_TABLES_MAX,
		.found = found,
	};
	uint64_t top = record_uint(part->root, &layout->kma_root.foreign);

	if (!top)
		return; /* an older libkma */
	if (levels == 0 || levels > LEVELS_MAX || bits == 0 ||
	    bits > BITS_MAX || levels * bits + part->page_shift > 64) {
		heap_note(heap, top,
			  "tables of brought pages are of no known "
			  "form");
		return;
	}
	walk.levels = (unsigned)levels;
	walk.bits = (unsigned)bits;
	visit_table(&walk, top, 0, 0);
	end_run(&walk);
	address_set_deinit(&walk.seen);
}

/* --- looking up -------------------------------------------------------------
 */

/* The instance whose heap part holds all of it; NULL: none does. */
static struct instance *part_around(struct heap *heap,
				    const struct heap_slab *slab)
{
	for (size_t i = 0; i < heap->instance_count; i++) {
		struct instance *part = &heap->parts[i];
		uint64_t size = part->page_count << part->page_shift;
		uint64_t offset = slab->base - part->heap_base;

		if (offset < size && slab->size <= size - offset)
			return part;
	}
	return NULL;
}

/* The buffer whose bytes its pages are. */
static void find_carrier(const struct heap *heap, const struct instance *part,
			 uint64_t page, struct heap_slab *slab)
{
	uint32_t number = page < part->table_pages ? part->slab_of_page[page]
						   : HEAP_NO_SLAB;
	const struct slab_geometry *around;

	if (number == HEAP_NO_SLAB)
		return;
	around = &heap->geometry[number];
	if (slab->base < around->start || slab->base >= around->end)
		return;
	slab->has_carrier = true;
	slab->carrier_slab = number;
	slab->carrier_index =
		(uint32_t)((slab->base - around->start) / around->stride);
}

static void enter_inside(struct heap *heap, struct instance *part,
			 struct heap_slab *slab)
{
	uint64_t page = (slab->base - part->heap_base) >> part->page_shift;
	uint64_t pages = slab->size >> part->page_shift;

	if (!heap_grow_table(part, page + pages)) {
		heap_note(heap, 0, "out of memory for slabs");
		return;
	}
	find_carrier(heap, part, page, slab);
	if (!heap_slab_enter(heap, slab))
		return;
	for (uint64_t i = 0; i < pages; i++)
		part->slab_of_page[page + i] = (uint32_t)(heap->slab_count - 1);
}

/* The last range, long enough for the slab, or a new one. NULL: no memory. */
static struct heap_pages *
range_for(struct heap *heap, const struct heap_slab *slab, unsigned shift)
{
	struct heap_pages *range =
		heap->foreign_count ? &heap->foreign[heap->foreign_count - 1]
				    : NULL;

	if (!range || range->page_shift != shift ||
	    slab->base - range->end > (uint64_t)GAP_MAX << shift) {
		range = heap_grow(heap->foreign, heap->foreign_count,
				  sizeof(*range));
		if (!range)
			return NULL;
		heap->foreign = range;
		range += heap->foreign_count++;
		*range = (struct heap_pages){ .base = slab->base,
					      .end = slab->base,
					      .page_shift = shift };
	}

	size_t before = (range->end - range->base) >> shift;
	size_t count = (slab->base + slab->size - range->base) >> shift;
	uint32_t *table = reallocarray((uint32_t *)range->slab_of_page, count,
				       sizeof(table[0]));

	if (!table)
		return NULL;
	memset(table + before, 0xff, (count - before) * sizeof(table[0]));
	range->slab_of_page = table;
	range->end = slab->base + slab->size;
	return range;
}

static void enter_outside(struct heap *heap, const struct heap_slab *slab)
{
	unsigned shift =
		heap->parts[heap->caches[slab->cache].instance].page_shift;
	struct heap_pages *range = range_for(heap, slab, shift);

	if (!range) {
		heap_note(heap, 0, "out of memory for slabs");
		return;
	}
	if (!heap_slab_enter(heap, slab))
		return;

	uint32_t *table = (uint32_t *)range->slab_of_page;

	for (uint64_t at = slab->base; at < range->end; at += 1U << shift)
		table[(at - range->base) >> shift] =
			(uint32_t)(heap->slab_count - 1);
}

static int by_base(const void *a, const void *b)
{
	const struct heap_slab *x = a, *y = b;

	return (x->base > y->base) - (x->base < y->base);
}

void heap_read_foreign(struct heap *heap)
{
	struct found found = { 0 };
	uint64_t end = 0;

	for (size_t i = 0; i < heap->instance_count; i++)
		read_tables(heap, i, &found);
	if (found.count)
		qsort(found.list, found.count, sizeof(found.list[0]), by_base);
	for (size_t i = 0; i < found.count; i++) {
		struct heap_slab *slab = &found.list[i];
		struct instance *part = part_around(heap, slab);

		if (slab->base < end) {
			heap_note(heap, slab->address,
				  "slab %#" PRIx64 " lies over another",
				  slab->address);
			continue;
		}
		end = slab->base + slab->size;
		if (part)
			enter_inside(heap, part, slab);
		else
			enter_outside(heap, slab);
	}
	free(found.list);
}

void heap_close_foreign(struct heap *heap)
{
	for (size_t i = 0; i < heap->foreign_count; i++)
		free((uint32_t *)heap->foreign[i].slab_of_page);
	free(heap->foreign);
}
