/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The segments of an arena, from its boundary tags or from the page map.
 *
 *	head <-> SPAN <-> ALLOC <-> FREE <-> SPAN <-> ... <-> head
 *
 * Tags are followed with suspicion: each is of a type there is, comes from an
 * address that was not met before, and begins where the one before it in its
 * span has ended. One that does not ends the walk.
 *
 * Of accounts, the heap's segments are the slabs and what lies between them,
 * by the words of the page map; kmem_default's and kmem_oversize's are slabs.
 */
#include "kdbg/heap_vmem.h"

#include "kdbg/heap_impl.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SEGMENTS_MAX = 1 << 26 };

enum source { FROM_TAGS, FROM_PAGES };

struct heap_segment_walk {
	struct heap *heap;
	struct heap_arena arena;
	enum source source;
	/* Tags. */
	struct heap_list list;
	uint64_t head;
	uint64_t expected, span_end; /* where the next one begins; 0: a span */
	bool listed;
	/* Pages. */
	size_t slab;             /* to look at next */
	uint64_t page, top;      /* the heap: to look at next, and the end */
	bool small, large, gaps; /* which segments there are */
};

static bool is_constant(const struct constant *constant, uint64_t value)
{
	return constant->present && constant->value == value;
}

/* False: no type we know. */
static bool segment_type(const struct heap_layout *layout, uint64_t value,
			 enum heap_segment_type *ret)
{
	if (is_constant(&layout->constants.KMA_VMEM_SEG_ALLOC, value))
		*ret = SEGMENT_ALLOC;
	else if (is_constant(&layout->constants.KMA_VMEM_SEG_FREE, value))
		*ret = SEGMENT_FREE;
	else if (is_constant(&layout->constants.KMA_VMEM_SEG_SPAN, value))
		*ret = SEGMENT_SPAN;
	else
		return false;
	return true;
}

static bool read_tag(struct heap *heap, size_t instance, uint64_t address,
		     const unsigned char *record, struct heap_segment *ret)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	uint64_t time = record_uint(record, &layout->kma_vmem_seg.time);

	*ret = (struct heap_segment){
		.address = address,
		.start = record_uint(record, &layout->kma_vmem_seg.start),
		.length = record_uint(record, &layout->kma_vmem_seg.length),
		.size = record_uint(record, &layout->kma_vmem_seg.size),
		.imported = record_uint(record,
					&layout->kma_vmem_seg.imported) != 0,
	};
	if (!segment_type(layout,
			  record_uint(record, &layout->kma_vmem_seg.type),
			  &ret->type) ||
	    ret->length == 0 || ret->start + (ret->length - 1) < ret->start)
		return false;
	if (ret->type != SEGMENT_ALLOC)
		return true;
	ret->cached =
		is_constant(&layout->constants.KMA_VMEM_BY_QCACHE,
			    record_uint(record, &layout->kma_vmem_seg.giver));
	if (time)
		ret->alloc = (struct heap_event){
			.time = time,
			.time_ns = heap_time_ns(heap, instance, time),
			.thread = (uint32_t)record_uint(
				record, &layout->kma_vmem_seg.thread),
			.stack = (uint32_t)record_uint(
				record, &layout->kma_vmem_seg.stack),
			.instance = instance,
		};
	return true;
}

/* --- the page map ------------------------------------------------------------
 */

static uint64_t page_map(const struct instance *part)
{
	return record_uint(part->root, &part->layout.kma_root.page_map);
}

static uint64_t tag_of_page(const struct instance *part, uint64_t page)
{
	return page_map(part) + page * sizeof(uint64_t);
}

static uint64_t page_of(const struct instance *part, uint64_t address)
{
	return (address - part->heap_base) >> part->page_shift;
}

static struct heap_segment segment_of_slab(struct heap *heap, size_t number)
{
	const struct heap_slab *slab = &heap->slabs[number];
	const struct instance *part =
		&heap->parts[heap->caches[slab->cache].instance];
	struct heap_segment segment = {
		.address = tag_of_page(part, page_of(part, slab->base)),
		.type = SEGMENT_ALLOC,
		.start = slab->base,
		.length = slab->size,
		.size = slab->size,
	};
	struct heap_buffer buffer;

	if (slab->large && heap_buffer_get(heap, number, 0, &buffer)) {
		segment.size = buffer.size;
		segment.alloc = buffer.alloc;
	}
	return segment;
}

static uint64_t page_word(struct heap *heap, const struct instance *part,
			  uint64_t page)
{
	uint64_t word = 0;

	err_free(target_read(heap->target, tag_of_page(part, page), &word,
			     sizeof(word)));
	return word;
}

/* What is of no slab is an arena's, or free, or was never handed out. */
static bool page_is_free(struct heap *heap, const struct instance *part,
			 uint64_t page)
{
	return !is_constant(&part->layout.constants.KMA_PAGE_ARENA,
			    page_word(heap, part, page));
}

/* The first page behind all that were ever handed out. */
static uint64_t page_top(struct heap *heap, struct instance *part)
{
	if (part->page_top)
		return part->page_top;
	part->page_top = part->page_count;
	while (part->page_top > 0 &&
	       page_word(heap, part, part->page_top - 1) == 0)
		part->page_top--;
	return part->page_top;
}

/* The slab that the page map has there: a foreign one is a buffer's bytes, or
 * an arena's. */
static bool mapped_slab(struct heap *heap, const struct instance *part,
			uint64_t page, size_t *ret)
{
	const struct heap_slab *slab;

	if (!heap_slab_at(heap, part->heap_base + (page << part->page_shift),
			  ret))
		return false;
	slab = &heap->slabs[*ret];
	if (slab->foreign)
		*ret = slab->carrier_slab;
	return !slab->foreign || slab->has_carrier;
}

/* The first page from this one on that is of a slab, or the top. */
static uint64_t gap_end(struct heap *heap, struct instance *part, uint64_t page)
{
	uint64_t top = page_top(heap, part);
	size_t slab;

	while (page < top && !mapped_slab(heap, part, page, &slab))
		page++;
	return page;
}

/* Pages from page up to end of one state, none of a slab. */
static struct heap_segment segment_of_gap(struct heap *heap,
					  const struct instance *part,
					  uint64_t page, uint64_t end)
{
	bool free = page_is_free(heap, part, page);
	uint64_t next = page + 1;

	while (next < end && page_is_free(heap, part, next) == free)
		next++;
	return (struct heap_segment){
		.address = tag_of_page(part, page),
		.type = free ? SEGMENT_FREE : SEGMENT_ALLOC,
		.start = part->heap_base + (page << part->page_shift),
		.length = (next - page) << part->page_shift,
		.size = (next - page) << part->page_shift,
	};
}

static bool is_of_arena(const struct heap_segment_walk *walk, size_t number)
{
	const struct heap_slab *slab = &walk->heap->slabs[number];
	const struct heap_cache *cache = &walk->heap->caches[slab->cache];

	return !slab->foreign && cache->instance == walk->arena.instance &&
	       (cache->bufsize ? walk->small : walk->large);
}

static bool next_of_pages(struct heap_segment_walk *walk,
			  struct heap_segment *ret)
{
	struct heap *heap = walk->heap;
	const struct instance *part = &heap->parts[walk->arena.instance];

	while (walk->slab < heap->slab_count && !is_of_arena(walk, walk->slab))
		walk->slab++;

	bool last = walk->slab == heap->slab_count;
	uint64_t first =
		last ? walk->top : page_of(part, heap->slabs[walk->slab].base);

	if (walk->gaps && walk->page < first) {
		*ret = segment_of_gap(heap, part, walk->page, first);
		walk->page += ret->length >> part->page_shift;
		return true;
	}
	if (last)
		return false;
	walk->page = first + (heap->slabs[walk->slab].size >> part->page_shift);
	*ret = segment_of_slab(heap, walk->slab++);
	return true;
}

/* --- tags --------------------------------------------------------------------
 */

/* Does it follow the one before? */
static bool follows(struct heap_segment_walk *walk,
		    const struct heap_segment *segment)
{
	if (segment->type == SEGMENT_SPAN) {
		if (walk->expected != walk->span_end)
			return false;
		walk->expected = segment->start;
		walk->span_end = segment->start + segment->length;
		return true;
	}
	if (segment->start != walk->expected ||
	    segment->length > walk->span_end - walk->expected)
		return false;
	walk->expected += segment->length;
	return true;
}

static bool next_of_tags(struct heap_segment_walk *walk,
			 struct heap_segment *ret)
{
	const unsigned char *record;
	uint64_t address;

	if (walk->list.next == walk->head)
		walk->list.next = 0;
	walk->listed = heap_list_next(&walk->list, &address, &record);
	if (!walk->listed)
		return false;
	if (read_tag(walk->heap, walk->arena.instance, address, record, ret) &&
	    follows(walk, ret))
		return true;
	heap_note(walk->heap, address,
		  "arena %s: the tag at %#" PRIx64
		  " does not fit the one before it",
		  walk->arena.name, address);
	return false;
}

/* --- walking -----------------------------------------------------------------
 */

static void choose_pages(struct heap_segment_walk *walk)
{
	const char *name = walk->arena.name;

	walk->source = FROM_PAGES;
	walk->gaps = strcmp(name, "heap") == 0;
	walk->small = walk->gaps || strcmp(name, "kmem_default") == 0;
	walk->large = walk->gaps || strcmp(name, "kmem_oversize") == 0;
	heap_read_slabs(walk->heap);
	if (walk->gaps)
		walk->top = page_top(walk->heap,
				     &walk->heap->parts[walk->arena.instance]);
}

static struct err *choose_tags(struct heap_segment_walk *walk)
{
	struct heap *heap = walk->heap;
	const struct heap_layout *layout =
		&heap->parts[walk->arena.instance].layout;
	const struct field *head = &layout->kma_vmem.head;
	const struct field *next = &layout->kma_vmem_seg.next;
	const unsigned char *record;
	struct err *err = heap_record(heap, &layout->kma_vmem.self,
				      walk->arena.address, &record);

	if (err)
		return err;
	if (!head->present || !next->present ||
	    next->offset + next->size > head->size)
		return err_new(ERR_UNSUPPORTED,
			       "this target does not describe segments");
	walk->head = walk->arena.address + head->offset;
	walk->list = heap_list_begin(
		heap, "segments", &layout->kma_vmem_seg.self, next,
		record_integer(record + head->offset + next->offset,
			       next->size),
		SEGMENTS_MAX);
	walk->listed = true;
	return NULL;
}

struct err *heap_segment_open(struct heap *heap, const struct heap_arena *arena,
			      struct heap_segment_walk **ret)
{
	struct heap_segment_walk *walk = calloc(1, sizeof(*walk));
	struct err *err = NULL;

	if (!walk)
		return err_new(ERR_NO_MEMORY, "segments");
	walk->heap = heap;
	walk->arena = *arena;
	if (arena->account)
		choose_pages(walk);
	else
		err = choose_tags(walk);
	if (err) {
		free(walk);
		return err;
	}
	*ret = walk;
	return NULL;
}

bool heap_segment_next(struct heap_segment_walk *walk, struct heap_segment *ret)
{
	return walk->source == FROM_PAGES ? next_of_pages(walk, ret)
					  : next_of_tags(walk, ret);
}

void heap_segment_close(struct heap_segment_walk *walk)
{
	if (walk->listed)
		address_set_deinit(&walk->list.seen);
	free(walk);
}

/* --- one ---------------------------------------------------------------------
 */

static bool in_page_map(struct heap *heap, size_t instance, uint64_t tag,
			struct heap_segment *ret)
{
	struct instance *part = &heap->parts[instance];
	uint64_t map = page_map(part);
	uint64_t page = (tag - map) / sizeof(uint64_t);
	size_t slab;

	if (tag < map || tag % sizeof(uint64_t) || page >= part->page_count)
		return false;
	heap_read_slabs(heap);
	if (mapped_slab(heap, part, page, &slab)) {
		*ret = segment_of_slab(heap, slab);
		return ret->address == tag;
	}
	if (page >= page_top(heap, part))
		return false;
	*ret = segment_of_gap(heap, part, page, gap_end(heap, part, page));
	return true;
}

bool heap_segment_at(struct heap *heap, uint64_t tag, struct heap_segment *ret)
{
	for (size_t i = 0; i < heap->instance_count; i++) {
		const struct heap_instance *instance = &heap->instances[i];
		const unsigned char *record;
		struct err *err;

		if (tag < instance->reserve_base ||
		    tag >= instance->reserve_end)
			continue;
		if (in_page_map(heap, i, tag, ret))
			return true;
		err = heap_record(heap,
				  &heap->parts[i].layout.kma_vmem_seg.self, tag,
				  &record);
		if (!err)
			return read_tag(heap, i, tag, record, ret);
		err_free(err);
	}
	return false;
}

static bool find_in_arena(struct heap *heap, const struct heap_arena *arena,
			  uint64_t address, struct heap_segment *ret)
{
	struct heap_segment_walk *walk;
	struct err *err = heap_segment_open(heap, arena, &walk);
	bool found = false;

	if (err) {
		err_free(err);
		return false;
	}
	while (!found && heap_segment_next(walk, ret))
		found = ret->type == SEGMENT_ALLOC && address >= ret->start &&
			address - ret->start < ret->length;
	heap_segment_close(walk);
	return found;
}

/* The most particular: children come after their parents. */
bool heap_segment_holding(struct heap *heap, uint64_t address, bool identifier,
			  struct heap_segment *ret,
			  const struct heap_arena **arena)
{
	const struct heap_arena *arenas;
	size_t count = heap_arenas(heap, &arenas);

	while (count-- > 0)
		if (!arenas[count].account &&
		    arenas[count].identifier == identifier &&
		    find_in_arena(heap, &arenas[count], address, ret)) {
			*arena = &arenas[count];
			return true;
		}
	return false;
}
