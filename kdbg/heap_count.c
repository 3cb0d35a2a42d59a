/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole slabs at a time: which buffers are live, how many a cache has in use,
 * and the way back from a bufctl to its buffer. */
#include "kdbg/heap_clients.h"
#include "kdbg/heap_impl.h"

#include <inttypes.h>
#include <stdlib.h>

enum { BITS = 64 };

static const struct heap_layout *layout_of(const struct heap *heap, size_t slab)
{
	const struct heap_cache *cache = &heap->caches[heap->slabs[slab].cache];

	return &heap->parts[cache->instance].layout;
}

/* words: the first buffer's, the next stride bytes on. */
static void live_by_words(struct heap *heap, size_t number,
			  const unsigned char *words, size_t stride,
			  uint64_t *bits)
{
	const struct heap_layout *layout = layout_of(heap, number);
	uint64_t shift = layout->constants.KMA_BUFCTL_STATE_SHIFT.value;
	uint64_t mask = layout->constants.KMA_BUFCTL_STATE_MASK.value;
	uint64_t allocated = layout->constants.KMA_BUFFER_ALLOCATED.value;
	uint64_t changing =
		layout->constants.KMA_BUFFER_CHANGING.present
			? layout->constants.KMA_BUFFER_CHANGING.value
			: allocated;

	for (uint32_t i = 0; i < heap->slabs[number].buffers; i++) {
		uint64_t state =
			record_integer(words + i * stride, sizeof(uint64_t)) >>
				shift &
			mask;

		if (state == allocated || state == changing)
			bits[i / BITS] |= UINT64_C(1) << i % BITS;
	}
}

/* 64 bits of a bitmap from bit number first on. */
static uint64_t bits_from(const uint64_t *bitmap, uint64_t first)
{
	uint64_t word = bitmap[first / BITS] >> first % BITS;

	if (first % BITS)
		word |= bitmap[first / BITS + 1] << (BITS - first % BITS);
	return word;
}

/* Neither in the slab nor in a magazine. */
static void live_by_bitmaps(struct heap *heap, size_t number,
			    const unsigned char *free_bits, uint64_t *bits)
{
	const struct heap_slab *slab = &heap->slabs[number];
	size_t words = ((size_t)slab->buffers + BITS - 1) / BITS;

	heap_read_magazines(heap);
	for (size_t i = 0; i < words; i++) {
		uint64_t free = 0;

		if (free_bits)
			memcpy(&free, free_bits + i * sizeof(free),
			       sizeof(free));
		if (heap->in_magazine)
			free |= bits_from(heap->in_magazine,
					  slab->first_buffer + i * BITS);
		bits[i] = ~free;
	}
	if (slab->buffers % BITS)
		bits[words - 1] &= (UINT64_C(1) << slab->buffers % BITS) - 1;
}

void heap_slab_live(struct heap *heap, size_t number, uint64_t *bits)
{
	const struct slab_geometry *geometry;
	size_t words;

	heap_read_slabs(heap);
	geometry = heap_slab_views(heap, number);
	words = ((size_t)heap->slabs[number].buffers + BITS - 1) / BITS;
	memset(bits, 0, words * sizeof(bits[0]));
	const struct heap_layout *layout = layout_of(heap, number);

	if (geometry->bufctls && layout->kma_bufctl.word.present)
		live_by_words(heap, number,
			      geometry->bufctls +
				      layout->kma_bufctl.word.offset,
			      layout->kma_bufctl.self.size, bits);
	else if (geometry->words)
		live_by_words(heap, number, geometry->words, sizeof(uint64_t),
			      bits);
	else
		live_by_bitmaps(heap, number, geometry->free_bits, bits);
}

static uint64_t count_bits(const uint64_t *bits, size_t words)
{
	uint64_t count = 0;

	for (size_t i = 0; i < words; i++)
		count += (uint64_t)__builtin_popcountll(bits[i]);
	return count;
}

static void count_slab(struct heap *heap, size_t number, uint64_t *bits)
{
	const struct heap_slab *slab = &heap->slabs[number];
	struct heap_cache *cache = &heap->caches[slab->cache];
	size_t words = ((size_t)slab->buffers + BITS - 1) / BITS;

	heap_slab_live(heap, number, bits);
	cache->buf_in_use += count_bits(bits, words);
	if (!heap->in_magazine)
		return;
	for (size_t i = 0; i < words; i++)
		bits[i] = bits_from(heap->in_magazine,
				    slab->first_buffer + i * BITS);
	if (slab->buffers % BITS)
		bits[words - 1] &= (UINT64_C(1) << slab->buffers % BITS) - 1;
	cache->buf_cached += count_bits(bits, words);
}

/* Are the slabs that the client brings among heap_slabs()? */
static bool is_read(const struct heap_layout *layout,
		    const struct heap_client *client)
{
	return layout->kma_root.foreign.present &&
	       !(client->flags & layout->constants.KMA_NOTOUCH.value);
}

/* Of others only the allocator's own counts tell. */
static void count_imported(struct heap *heap, struct heap_cache *cache)
{
	const struct heap_layout *layout = &heap->parts[cache->instance].layout;
	struct heap_client client;
	const unsigned char *record;
	struct err *err;

	if (!heap_client_of(heap, cache, &client) || !client.import)
		return;
	cache->is_imported = true;
	if (is_read(layout, &client))
		return;
	err = heap_record(heap, &layout->kma_cache.self, cache->address,
			  &record);
	if (err) {
		err_free(err);
		return;
	}
	cache->imported_slab = client.slab_size;
	cache->buf_total = record_uint(record, &layout->kma_cache.buf_total);
	cache->buf_in_use =
		cache->alloc > cache->free ? cache->alloc - cache->free : 0;
	cache->buf_cached = client.out > cache->buf_in_use
				    ? client.out - cache->buf_in_use
				    : 0;
}

size_t heap_caches(struct heap *heap, const struct heap_cache **ret)
{
	heap_read_slabs(heap);
	if (!heap->caches_counted) {
		uint64_t *bits =
			calloc(HEAP_SLAB_BUFFERS_MAX / BITS, sizeof(bits[0]));

		heap->caches_counted = true;
		heap_read_magazines(heap);
		for (size_t i = 0; bits && i < heap->slab_count; i++)
			count_slab(heap, i, bits);
		for (size_t i = 0; i < heap->cache_count; i++)
			count_imported(heap, &heap->caches[i]);
		if (!bits)
			heap_note(heap, 0, "out of memory for counts");
		free(bits);
	}
	*ret = heap->caches;
	return heap->cache_count;
}

const struct heap_cache *heap_cache_at(struct heap *heap, uint64_t address)
{
	size_t cache;

	heap_read_slabs(heap);
	return heap_cache_find(heap, address, &cache) ? &heap->caches[cache]
						      : NULL;
}

const struct heap_cache *heap_cache_named(struct heap *heap, const char *name)
{
	heap_read_slabs(heap);
	for (size_t i = 0; i < heap->cache_count; i++)
		if (strcmp(heap->caches[i].name, name) == 0)
			return &heap->caches[i];
	return NULL;
}

const struct heap_cache *heap_cache_of(struct heap *heap, size_t slab)
{
	heap_read_slabs(heap);
	return &heap->caches[heap->slabs[slab].cache];
}

struct slab_order {
	uint64_t bufctls;
	size_t slab;
};

static int by_bufctls(const void *a, const void *b)
{
	const struct slab_order *x = a, *y = b;

	return x->bufctls < y->bufctls ? -1 : x->bufctls > y->bufctls;
}

/* The audited slabs by where their bufctls lie. */
static void order_bufctls(struct heap *heap)
{
	size_t count = 0;

	if (heap->bufctl_order || heap->slab_count == 0)
		return;
	heap->bufctl_order =
		calloc(heap->slab_count, sizeof(heap->bufctl_order[0]));
	if (!heap->bufctl_order)
		return;
	for (size_t i = 0; i < heap->slab_count; i++)
		if (heap->slabs[i].bufctls)
			heap->bufctl_order[count++] = (struct slab_order){
				.bufctls = heap->slabs[i].bufctls,
				.slab = i,
			};
	qsort(heap->bufctl_order, count, sizeof(heap->bufctl_order[0]),
	      by_bufctls);
	heap->audited_count = count;
}

bool heap_buffer_of_bufctl(struct heap *heap, uint64_t bufctl,
			   struct heap_buffer *ret)
{
	size_t low = 0, high, size;

	heap_read_slabs(heap);
	order_bufctls(heap);
	for (high = heap->audited_count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (heap->bufctl_order[middle].bufctls <= bufctl)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	const struct slab_order *found = &heap->bufctl_order[low - 1];
	size = layout_of(heap, found->slab)->kma_bufctl.self.size;
	uint64_t offset = bufctl - found->bufctls;
	if (size == 0 || offset / size >= heap->slabs[found->slab].buffers)
		return false;
	return heap_buffer_get(heap, found->slab, (uint32_t)(offset / size),
			       ret) &&
	       ret->bufctl != 0;
}
