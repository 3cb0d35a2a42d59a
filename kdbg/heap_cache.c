/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Caches: the instances' lists, the threads' share of the counts, and what the
 * slabs add up to.
 */
#include "kdbg/heap_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Where address stands, or would stand, in caches_by_address. */
static size_t position(const struct heap *heap, uint64_t address)
{
	size_t low = 0, high = heap->cache_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		size_t cache = heap->caches_by_address[middle];

		if (heap->caches[cache].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool heap_cache_find(const struct heap *heap, uint64_t address, size_t *ret)
{
	size_t at = position(heap, address);

	if (at == heap->cache_count)
		return false;
	*ret = heap->caches_by_address[at];
	return heap->caches[*ret].address == address;
}

/* By a cache of another instance, that is: they come in order. */
static bool name_taken(const struct heap *heap, size_t instance,
		       const char *name)
{
	for (size_t i = 0; i < heap->cache_count; i++) {
		if (heap->caches[i].instance == instance)
			return false;
		if (strcmp(heap->caches[i].name, name) == 0)
			return true;
	}
	return false;
}

/* With the instance in front where another cache has the name already. */
static const char *cache_name(struct heap *heap, size_t instance,
			      const unsigned char *record)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	char name[64], full[128];

	record_text(record, &layout->kma_cache.name, name, sizeof(name));
	if (!name_taken(heap, instance, name))
		return heap_text(heap, name);
	snprintf(full, sizeof(full), "%s`%s", heap->instances[instance].name,
		 name);
	return heap_text(heap, full);
}

struct heap_cache heap_read_cache(struct heap *heap, size_t instance,
				  uint64_t address, const unsigned char *record)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;

	return (struct heap_cache){
		.address = address,
		.name = cache_name(heap, instance, record),
		.instance = instance,
		.index =
			(uint32_t)record_uint(record, &layout->kma_cache.index),
		.flags =
			(uint32_t)record_uint(record, &layout->kma_cache.flags),
		.tier = heap_tier_of(
			layout, record_uint(record, &layout->kma_cache.tier)),
		.cflags = (uint32_t)record_uint(record,
						&layout->kma_cache.cflags),
		.bufsize = record_uint(record, &layout->kma_cache.bufsize),
		.align = record_uint(record, &layout->kma_cache.align),
		.alloc = record_uint(record, &layout->kma_cache.alloc),
		.free = record_uint(record, &layout->kma_cache.free),
		.alloc_fail =
			record_uint(record, &layout->kma_cache.alloc_fail),
		.slab_create =
			record_uint(record, &layout->kma_cache.slab_create),
		.slab_alloc =
			record_uint(record, &layout->kma_cache.slab_alloc),
		.slab_destroy =
			record_uint(record, &layout->kma_cache.slab_destroy),
	};
}

bool heap_add_cache(struct heap *heap, const struct heap_cache *cache)
{
	struct heap_cache *caches;
	size_t *order, at = position(heap, cache->address);

	caches = heap_grow(heap->caches, heap->cache_count, sizeof(caches[0]));
	if (caches)
		heap->caches = caches;
	order = heap_grow(heap->caches_by_address, heap->cache_count,
			  sizeof(order[0]));
	if (order)
		heap->caches_by_address = order;
	if (!caches || !order)
		return false;
	memmove(order + at + 1, order + at,
		(heap->cache_count - at) * sizeof(order[0]));
	order[at] = heap->cache_count;
	caches[heap->cache_count++] = *cache;
	return true;
}

static void read_list(struct heap *heap, size_t instance)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	const unsigned char *record;
	uint64_t address;
	struct heap_list list =
		heap_list_begin(heap, "cache list", &layout->kma_cache.self,
				&layout->kma_cache.next,
				record_uint(heap->parts[instance].root,
					    &layout->kma_root.caches),
				HEAP_CACHES_MAX);
	size_t before = heap->cache_count;

	while (heap_list_next(&list, &address, &record)) {
		struct heap_cache cache =
			heap_read_cache(heap, instance, address, record);

		if (!heap_add_cache(heap, &cache))
			heap_note(heap, address, "out of memory for caches");
	}
	uint64_t told = record_uint(heap->parts[instance].root,
				    &layout->kma_root.cache_count);
	if (layout->kma_root.cache_count.present &&
	    told != heap->cache_count - before)
		heap_note(heap, heap->instances[instance].root,
			  "%zu caches are listed, kma_root %#" PRIx64
			  " counts %" PRIu64,
			  heap->cache_count - before,
			  heap->instances[instance].root, told);
}

struct heap_cache *heap_cache_indexed(struct heap *heap, size_t instance,
				      uint64_t index)
{
	/* Indexes are given in the list's order, so this is a first guess. */
	if (index < heap->cache_count && heap->caches[index].index == index &&
	    heap->caches[index].instance == instance)
		return &heap->caches[index];
	for (size_t i = 0; i < heap->cache_count; i++)
		if (heap->caches[i].index == index &&
		    heap->caches[i].instance == instance)
			return &heap->caches[i];
	return NULL;
}

void heap_read_caches(struct heap *heap)
{
	for (size_t i = 0; i < heap->instance_count; i++)
		read_list(heap, i);
}
