/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Slabs, found through the page map: one pass over its words finds each slab
 * there is, whatever has become of the caches' lists.
 *
 *	page map word --> header of the slab
 *	     ^               |
 *	     +--- base ------+
 *
 * The two must agree: a slab is believed when its header says that it begins
 * at the page whose word led there, all its pages carry the same word, its
 * buffers fit in its pages, and its cache is one. A slab that is not believed
 * is noted and left out, all its pages with it, so slabs never overlap.
 *
 * What comes out is a table of our own, slab_of_page, from which any address
 * leads to its slab and, by multiplication, to its buffer.
 */
#include "kdbg/heap_impl.h"

#include <inttypes.h>
#include <stdlib.h>

enum { CHUNK_BYTES = 4096, STRIDE_MIN = 8 };

/* Reading the page map piece by piece, forward. */
struct page_walk {
	struct heap *heap;
	struct instance *part;
	size_t instance;
	uint64_t map;        /* address of the page map */
	uint64_t first, end; /* pages whose words are in view */
	const unsigned char *words;
	uint64_t refused; /* header last refused: not looked at again */
};

static bool load_chunk(struct page_walk *walk, uint64_t page)
{
	uint64_t at = walk->map + page * sizeof(uint64_t);
	uint64_t bytes = CHUNK_BYTES - at % CHUNK_BYTES;
	const void *view;
	struct err *err;

	walk->first = page;
	walk->end = page + bytes / sizeof(uint64_t);
	if (walk->end > walk->part->page_count)
		walk->end = walk->part->page_count;
	err = target_view(walk->heap->target, at,
			  (walk->end - page) * sizeof(uint64_t), &view);
	walk->words = err ? NULL : view;
	if (!err)
		return true;
	heap_note_err(walk->heap, at, err_wrap(err, "page map"));
	return false;
}

/* The word of page; 0 where the map cannot be read. */
static uint64_t page_word(struct page_walk *walk, uint64_t page)
{
	uint64_t word;

	if (page < walk->first || page >= walk->end)
		load_chunk(walk, page);
	if (!walk->words)
		return 0;
	memcpy(&word, walk->words + (page - walk->first) * sizeof(word),
	       sizeof(word));
	return word;
}

static uint64_t word_kind(const struct instance *part, uint64_t word)
{
	return word & part->layout.constants.KMA_PAGE_KIND_MASK.value;
}

static uint64_t word_header(const struct instance *part, uint64_t word)
{
	return word & part->layout.constants.KMA_PAGE_SLAB_MASK.value;
}

static enum heap_tier slab_tier(const struct heap_layout *layout,
				const unsigned char *record, uint64_t word)
{
	uint64_t tier = record_uint(record, &layout->kma_slab.tier);

	if (!layout->kma_slab.tier.present)
		tier = word >> layout->constants.KMA_PAGE_TIER_SHIFT.value &
		       layout->constants.KMA_PAGE_TIER_MASK.value;
	return heap_tier_of(layout, tier);
}

const char *heap_slab_reason(const struct heap_slab *slab)
{
	if (slab->stride < STRIDE_MIN || slab->buffers == 0)
		return "has no buffers";
	if (slab->first > slab->size || slab->stride > slab->size ||
	    slab->buffers > HEAP_SLAB_BUFFERS_MAX ||
	    slab->buffers * slab->stride > slab->size - slab->first)
		return "has more buffers than its pages hold";
	return NULL;
}

static const char *geometry_reason(const struct heap_slab *slab,
				   const struct page_walk *walk, uint64_t page)
{
	const struct instance *part = walk->part;
	uint64_t base = part->heap_base + (page << part->page_shift);

	if (slab->base != base)
		return "does not begin at its first page";
	if (slab->size >> part->page_shift == 0 ||
	    slab->size >> part->page_shift > part->page_count - page)
		return "has more pages than there are";
	return heap_slab_reason(slab);
}

/* Does any of the pages carry another word than the first? */
static bool pages_differ(struct page_walk *walk, uint64_t page, uint64_t count,
			 uint64_t word)
{
	for (uint64_t i = 1; i < count; i++)
		if (page_word(walk, page + i) != word)
			return true;
	return false;
}

/* A cache that is on no list: believed if it looks like one. */
static bool adopt_cache(struct page_walk *walk, uint64_t address, size_t *ret)
{
	const struct heap_layout *layout = &walk->part->layout;
	struct heap *heap = walk->heap;
	const unsigned char *record;
	struct err *err =
		heap_record(heap, &layout->kma_cache.self, address, &record);

	if (err) {
		err_free(err);
		return false;
	}
	struct heap_cache cache =
		heap_read_cache(heap, walk->instance, address, record);
	if (cache.name[0] == '\0' || strchr(cache.name, '?') ||
	    cache.bufsize == 0 || cache.index >= HEAP_CACHES_MAX ||
	    heap->cache_count == HEAP_CACHES_MAX)
		return false;
	heap_note(heap, address,
		  "cache %#" PRIx64 " (%s) is on no list: found by its slabs",
		  address, cache.name);
	*ret = heap->cache_count;
	return heap_add_cache(heap, &cache);
}

struct heap_slab heap_slab_record(const struct heap_layout *layout,
				  uint64_t header, const unsigned char *record,
				  unsigned page_shift)
{
	uint64_t pages = record_uint(record, &layout->kma_slab.pages);

	if (pages > HEAP_PAGES_MAX)
		pages = 0;
	return (struct heap_slab){
		.address = header,
		.base = record_uint(record, &layout->kma_slab.base),
		.size = pages << page_shift,
		.first = record_uint(record, &layout->kma_slab.first),
		.stride = record_uint(record, &layout->kma_slab.stride),
		.buffers = (uint32_t)record_uint(record,
						 &layout->kma_slab.buffers),
		.in_use =
			(uint32_t)record_uint(record, &layout->kma_slab.in_use),
		.tier = heap_tier_of(
			layout, record_uint(record, &layout->kma_slab.tier)),
		.hollow = record_uint(record, &layout->kma_slab.hollow) != 0,
		.pristine =
			record_uint(record, &layout->kma_slab.pristine) != 0,
		.bare = record_uint(record, &layout->kma_slab.bare) != 0,
		.sampled = record_uint(record, &layout->kma_slab.sampled) != 0,
		.bufctls = record_uint(record, &layout->kma_slab.bufctls),
		.words = record_uint(record, &layout->kma_slab.words),
		.free_bits = record_uint(record, &layout->kma_slab.free_bits),
	};
}

static struct heap_slab read_header(const struct page_walk *walk,
				    uint64_t header,
				    const unsigned char *record, uint64_t word)
{
	const struct heap_layout *layout = &walk->part->layout;
	struct heap_slab slab = heap_slab_record(layout, header, record,
						 walk->part->page_shift);

	slab.tier = slab_tier(layout, record, word);
	slab.large = word_kind(walk->part, word) ==
		     layout->constants.KMA_PAGE_LARGE.value;
	return slab;
}

/* The slab whose first page this is; an error says why there is none. */
static struct err *read_slab(struct page_walk *walk, uint64_t page,
			     uint64_t word, struct heap_slab *ret)
{
	const struct heap_layout *layout = &walk->part->layout;
	uint64_t header = word_header(walk->part, word);
	const unsigned char *record;
	const char *reason;
	struct err *err = heap_record(walk->heap, &layout->kma_slab.self,
				      header, &record);

	if (err)
		return err_wrap(err, "slab %#" PRIx64, header);
	*ret = read_header(walk, header, record, word);
	reason = geometry_reason(ret, walk, page);
	uint64_t cache = record_uint(record, &layout->kma_slab.cache);
	if (!reason && !heap_cache_find(walk->heap, cache, &ret->cache) &&
	    !adopt_cache(walk, cache, &ret->cache))
		reason = "is of no known cache";
	if (!reason &&
	    pages_differ(walk, page, ret->size >> walk->part->page_shift, word))
		reason = "does not have all its pages in the page map";
	if (reason)
		return err_new(ERR_CORRUPT, "slab %#" PRIx64 " %s", header,
			       reason);
	return NULL;
}

static bool reserve_slab(struct heap *heap)
{
	struct heap_slab *slabs =
		heap_grow(heap->slabs, heap->slab_count, sizeof(slabs[0]));
	struct slab_geometry *geometry;

	if (slabs)
		heap->slabs = slabs;
	geometry = heap_grow(heap->geometry, heap->slab_count,
			     sizeof(geometry[0]));
	if (geometry)
		heap->geometry = geometry;
	return slabs && geometry && heap->slab_count < HEAP_NO_SLAB;
}

bool heap_grow_table(struct instance *part, uint64_t pages)
{
	uint64_t wanted = part->table_pages ? part->table_pages : 1024;
	uint32_t *table;

	while (wanted < pages)
		wanted *= 2;
	if (wanted > part->page_count)
		wanted = part->page_count;
	if (wanted == part->table_pages)
		return true;
	table = reallocarray(part->slab_of_page, wanted, sizeof(table[0]));
	if (!table)
		return false;
	memset(table + part->table_pages, 0xff,
	       (wanted - part->table_pages) * sizeof(table[0]));
	part->slab_of_page = table;
	part->table_pages = wanted;
	return true;
}

bool heap_slab_enter(struct heap *heap, const struct heap_slab *slab)
{
	size_t number = heap->slab_count;
	struct heap_cache *cache = &heap->caches[slab->cache];

	if (!reserve_slab(heap)) {
		heap_note(heap, 0, "out of memory for slabs");
		return false;
	}
	heap->slabs[number] = *slab;
	heap->slabs[number].first_buffer = heap->buffer_count;
	heap->geometry[number] = (struct slab_geometry){
		.start = slab->base + slab->first,
		.end = slab->base + slab->first + slab->buffers * slab->stride,
		.stride = slab->stride,
		.reciprocal = UINT64_MAX / slab->stride + 1,
	};
	heap->buffer_count += slab->buffers;
	cache->buf_total += slab->buffers;
	cache->pages += slab->size >> heap->parts[cache->instance].page_shift;
	heap->slab_count++;
	return true;
}

static void add_slab(struct page_walk *walk, uint64_t page,
		     const struct heap_slab *slab)
{
	uint64_t pages = slab->size >> walk->part->page_shift;
	struct heap *heap = walk->heap;

	if (!heap_grow_table(walk->part, page + pages)) {
		heap_note(heap, 0, "out of memory for slabs");
		return;
	}
	if (!heap_slab_enter(heap, slab))
		return;
	for (uint64_t i = 0; i < pages; i++)
		walk->part->slab_of_page[page + i] =
			(uint32_t)(heap->slab_count - 1);
}

/* What lies at page: how many pages to go on by. */
static uint64_t visit_page(struct page_walk *walk, uint64_t page, uint64_t word)
{
	uint64_t kind = word_kind(walk->part, word);
	const struct heap_layout *layout = &walk->part->layout;
	struct heap_slab slab;
	struct err *err;

	if (kind != layout->constants.KMA_PAGE_SLAB.value &&
	    kind != layout->constants.KMA_PAGE_LARGE.value)
		return 1;
	if (word_header(walk->part, word) == walk->refused)
		return 1;
	err = read_slab(walk, page, word, &slab);
	if (err) {
		heap_note_err(walk->heap, word_header(walk->part, word), err);
		walk->heap->slabs_refused++;
		walk->refused = word_header(walk->part, word);
		return 1;
	}
	add_slab(walk, page, &slab);
	return slab.size >> walk->part->page_shift;
}

static void read_page_map(struct heap *heap, size_t instance)
{
	struct instance *part = &heap->parts[instance];
	struct page_walk walk = {
		.heap = heap,
		.part = part,
		.instance = instance,
		.map = record_uint(part->root, &part->layout.kma_root.page_map),
	};

	if (walk.map % sizeof(uint64_t) != 0) {
		heap_note(heap, walk.map,
			  "page map at %#" PRIx64 ": misaligned", walk.map);
		return;
	}
	for (uint64_t page = 0; page < part->page_count;)
		page += visit_page(&walk, page, page_word(&walk, page));
}

/* Instances by where their heaps begin; a heap that lies over another's is not
 * read. */
static void read_page_maps(struct heap *heap)
{
	size_t order[HEAP_INSTANCES_MAX] = { 0 };
	uint64_t end = 0;

	for (size_t i = 0; i < heap->instance_count; i++) {
		size_t at = i;

		for (; at > 0 && heap->parts[order[at - 1]].heap_base >
					 heap->parts[i].heap_base;
		     at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	for (size_t i = 0; i < heap->instance_count; i++) {
		const struct heap_instance *view = &heap->instances[order[i]];

		if (heap->parts[order[i]].page_count == 0)
			continue;
		if (view->heap_base < end) {
			heap_note(heap, view->root,
				  "kma_root %#" PRIx64
				  ": its heap lies over another's",
				  view->root);
			continue;
		}
		read_page_map(heap, order[i]);
		end = view->heap_end;
	}
}

void heap_read_slabs(struct heap *heap)
{
	if (heap->slabs_read)
		return;
	heap->slabs_read = true;
	heap_read_caches(heap);
	read_page_maps(heap);
	heap_read_foreign(heap);
	for (size_t i = 0; i < heap->instance_count; i++) {
		const struct instance *part = &heap->parts[i];

		heap->pages[i] = (struct heap_pages){
			.base = part->heap_base,
			.end = part->heap_base + ((uint64_t)part->table_pages
						  << part->page_shift),
			.page_shift = part->page_shift,
			.slab_of_page = part->slab_of_page,
		};
	}
}

size_t heap_slabs(struct heap *heap, const struct heap_slab **ret)
{
	heap_read_slabs(heap);
	*ret = heap->slabs;
	return heap->slab_count;
}

size_t heap_slabs_refused(struct heap *heap)
{
	heap_read_slabs(heap);
	return heap->slabs_refused;
}

size_t heap_pages(struct heap *heap, const struct heap_pages **ret)
{
	heap_read_slabs(heap);
	*ret = heap->pages;
	return heap->instance_count;
}

size_t heap_foreign_pages(struct heap *heap, const struct heap_pages **ret)
{
	heap_read_slabs(heap);
	*ret = heap->foreign;
	return heap->foreign_count;
}

static bool slab_in(const struct heap_pages *pages, uint64_t address,
		    size_t *slab)
{
	*slab = pages->slab_of_page[(address - pages->base) >>
				    pages->page_shift];
	return *slab != HEAP_NO_SLAB;
}

bool heap_slab_at(struct heap *heap, uint64_t address, size_t *slab)
{
	const struct heap_pages *foreign;

	heap_read_slabs(heap);
	for (size_t i = 0; i < heap->instance_count; i++) {
		const struct heap_pages *pages = &heap->pages[i];

		if (address >= pages->base && address < pages->end)
			return slab_in(pages, address, slab);
	}
	foreign =
		heap_pages_search(heap->foreign, heap->foreign_count, address);
	return foreign && slab_in(foreign, address, slab);
}
