/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arenas and what serves them; their segments are in heap_segment.c. */
#include "kdbg/heap_vmem.h"

#include "kdbg/heap_impl.h"

#include <inttypes.h>
#include <stdlib.h>

/* Each is a record of the target's: so many are damage. */
enum { ARENAS_MAX = 1 << 22, SIDE_CACHES_MAX = 256, DEPTH_MAX = 64 };

static bool has_flag(const struct constant *flag, uint64_t flags)
{
	return flag->present && (flags & flag->value) != 0;
}

static struct heap_arena read_arena(struct heap *heap, size_t instance,
				    uint64_t address,
				    const unsigned char *record)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	uint64_t flags = record_uint(record, &layout->kma_vmem.flags);

	return (struct heap_arena){
		.address = address,
		.instance = instance,
		.name = heap_field_text(heap, record, &layout->kma_vmem.name),
		.parent = record_uint(record, &layout->kma_vmem.parent),
		.account = has_flag(&layout->constants.KMA_VMEM_ACCOUNT, flags),
		.identifier =
			has_flag(&layout->constants.KMA_VMC_IDENTIFIER, flags),
		.quantum = record_uint(record, &layout->kma_vmem.quantum),
		.limit = record_uint(record, &layout->kma_vmem.limit),
		.in_use = record_uint(record, &layout->kma_vmem.in_use),
		.total = record_uint(record, &layout->kma_vmem.total),
		.imported = record_uint(record, &layout->kma_vmem.imported),
		.alloc = record_uint(record, &layout->kma_vmem.alloc),
		.free = record_uint(record, &layout->kma_vmem.free),
		.alloc_fail = record_uint(record, &layout->kma_vmem.alloc_fail),
		.waits = record_uint(record, &layout->kma_vmem.waits),
		.segments = record_uint(record, &layout->kma_vmem.segments),
	};
}

static void add_side_cache(struct heap *heap,
			   const struct heap_side_cache *cache)
{
	struct heap_side_cache *all = heap_grow(
		heap->side_caches, heap->side_cache_count, sizeof(all[0]));

	if (!all) {
		heap_note(heap, cache->address, "out of memory for caches");
		return;
	}
	heap->side_caches = all;
	all[heap->side_cache_count++] = *cache;
}

static void read_qcache(struct heap *heap, const struct heap_arena *arena,
			uint64_t address)
{
	const struct heap_layout *layout = &heap->parts[arena->instance].layout;
	const unsigned char *record;
	struct err *err = heap_record(heap, &layout->kma_vmem_qcache.self,
				      address, &record);

	if (err) {
		heap_note_err(
			heap, address,
			err_wrap(err, "quantum caches of %s", arena->name));
		return;
	}
	const struct heap_side_cache cache = {
		.address = address,
		.instance = arena->instance,
		.name = heap_field_text(heap, record,
					&layout->kma_vmem_qcache.name),
		.arena = arena->address,
		.size = record_uint(record, &layout->kma_vmem_qcache.size),
		.in_use = record_uint(record, &layout->kma_vmem_qcache.in_use),
		.total = record_uint(record, &layout->kma_vmem_qcache.total),
		.memory =
			record_uint(record, &layout->kma_vmem_qcache.slabs) *
			record_uint(record, &layout->kma_vmem_qcache.slab_size),
		.alloc = record_uint(record, &layout->kma_vmem_qcache.alloc),
		.alloc_fail = record_uint(record,
					  &layout->kma_vmem_qcache.alloc_fail),
	};
	add_side_cache(heap, &cache);
}

static void read_qcaches(struct heap *heap, const struct heap_arena *arena,
			 const unsigned char *record)
{
	const struct heap_layout *layout = &heap->parts[arena->instance].layout;
	const struct field *array = &layout->kma_vmem.qcaches;
	uint64_t count = record_uint(record, &layout->kma_vmem.qcache_count);

	if (count > array->count) {
		heap_note(heap, arena->address,
			  "arena %s: %" PRIu64 " quantum caches in a table of "
			  "%" PRIu32,
			  arena->name, count, array->count);
		count = array->count;
	}
	for (uint32_t i = 0; i < count; i++)
		read_qcache(heap, arena, record_element(record, array, i));
}

static void read_list(struct heap *heap, size_t instance)
{
	const struct instance *part = &heap->parts[instance];
	const struct heap_layout *layout = &part->layout;
	const unsigned char *record;
	uint64_t address;
	struct heap_list list = heap_list_begin(
		heap, "arena list", &layout->kma_vmem.self,
		&layout->kma_vmem.next,
		record_uint(part->root, &layout->kma_root.arenas), ARENAS_MAX);

	while (heap_list_next(&list, &address, &record)) {
		struct heap_arena *arenas = heap_grow(
			heap->arenas, heap->arena_count, sizeof(arenas[0]));

		if (!arenas) {
			heap_note(heap, address, "out of memory for arenas");
			continue;
		}
		heap->arenas = arenas;
		arenas[heap->arena_count] =
			read_arena(heap, instance, address, record);
		read_qcaches(heap, &arenas[heap->arena_count++], record);
	}
}

static void read_meta_caches(struct heap *heap, size_t instance)
{
	const struct instance *part = &heap->parts[instance];
	const struct heap_layout *layout = &part->layout;
	uint32_t size = layout->kma_meta_cache.self.size;
	uint64_t first = record_uint(part->root, &layout->kma_root.meta_caches);
	uint64_t count =
		record_uint(part->root, &layout->kma_root.meta_cache_count);

	if (count > SIDE_CACHES_MAX) {
		heap_note(heap, first, "%" PRIu64 " kinds of metadata", count);
		return;
	}
	for (uint64_t i = 0; i < count; i++) {
		uint64_t address = first + i * size;
		const unsigned char *record;
		struct err *err = heap_record(
			heap, &layout->kma_meta_cache.self, address, &record);

		if (err) {
			heap_note_err(heap, address,
				      err_wrap(err, "kinds of metadata"));
			return;
		}
		uint64_t in_use =
			record_uint(record, &layout->kma_meta_cache.in_use);
		const struct heap_side_cache cache = {
			.address = address,
			.instance = instance,
			.name = heap_field_text(heap, record,
						&layout->kma_meta_cache.name),
			.size = record_uint(record,
					    &layout->kma_meta_cache.unit),
			.in_use = in_use,
			.total = in_use,
			.memory = record_uint(record,
					      &layout->kma_meta_cache.memory),
			.alloc = record_uint(record,
					     &layout->kma_meta_cache.alloc),
			.alloc_fail = record_uint(
				record, &layout->kma_meta_cache.alloc_fail),
		};
		add_side_cache(heap, &cache);
	}
}

/* --- the tree of arenas ----------------------------------------------------
 */

/* An arena's place in the heap's table, by an address: its own or its parent's.
 */
struct arena_key {
	uint64_t address;
	size_t index;
};

static int compare_keys(const void *a, const void *b)
{
	const struct arena_key *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* The first key of that address or above it. */
static size_t lower_bound(const struct arena_key *keys, size_t count,
			  uint64_t address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (keys[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct arena_key *keys_create(const struct heap *heap, bool by_parent)
{
	struct arena_key *keys = calloc(heap->arena_count + 1, sizeof(keys[0]));

	if (!keys)
		return NULL;
	for (size_t i = 0; i < heap->arena_count; i++)
		keys[i] = (struct arena_key){
			.address = by_parent ? heap->arenas[i].parent
					     : heap->arenas[i].address,
			.index = i,
		};
	qsort(keys, heap->arena_count, sizeof(keys[0]), compare_keys);
	return keys;
}

/* SIZE_MAX: there is none at that address. */
static size_t index_of(const struct heap *heap, const struct arena_key *keys,
		       uint64_t address)
{
	size_t at = lower_bound(keys, heap->arena_count, address);

	return address && at < heap->arena_count && keys[at].address == address
		       ? keys[at].index
		       : SIZE_MAX;
}

/* What is put in order, and where it goes: out has room for all. */
struct order {
	const struct heap *heap;
	const struct arena_key *by_parent;
	bool *placed;
	struct heap_arena *out;
	size_t count;
};

/* The arenas below parent, in the list's order, behind it. */
static void order_below(struct order *order, uint64_t parent, unsigned depth)
{
	size_t count = order->heap->arena_count;
	const struct arena_key *keys = order->by_parent;

	for (size_t i = lower_bound(keys, count, parent);
	     i < count && keys[i].address == parent; i++) {
		const struct heap_arena *arena =
			&order->heap->arenas[keys[i].index];

		if (order->placed[keys[i].index])
			continue;
		order->placed[keys[i].index] = true;
		order->out[order->count] = *arena;
		order->out[order->count++].depth = depth;
		if (depth < DEPTH_MAX)
			order_below(order, arena->address, depth + 1);
	}
}

/* A parent that is no arena of ours, or that a loop leads back to, is none. */
static void check_parents(struct heap *heap, const struct arena_key *keys)
{
	for (size_t i = 0; i < heap->arena_count; i++) {
		struct heap_arena *arena = &heap->arenas[i];
		size_t at = i;
		unsigned depth = 0;

		while (heap->arenas[at].parent && depth++ < DEPTH_MAX) {
			at = index_of(heap, keys, heap->arenas[at].parent);
			if (at == SIZE_MAX)
				break;
		}
		if (at != SIZE_MAX && depth <= DEPTH_MAX)
			continue;
		heap_note(heap, arena->address,
			  "arena %s: its parents lead nowhere", arena->name);
		arena->parent = 0;
	}
}

static void put_in_order(struct heap *heap)
{
	struct arena_key *by_address = keys_create(heap, false),
			 *by_parent = NULL;
	struct order order = {
		.heap = heap,
		.placed = calloc(heap->arena_count + 1, sizeof(bool)),
		.out = calloc(heap->arena_count + 1, sizeof(order.out[0])),
	};

	if (by_address) {
		check_parents(heap, by_address);
		by_parent = keys_create(heap, true);
	}
	order.by_parent = by_parent;
	if (by_parent && order.placed && order.out) {
		order_below(&order, 0, 0);
		free(heap->arenas);
		heap->arenas = order.out;
		heap->arena_count = order.count;
		order.out = NULL;
	} else {
		heap_note(heap, 0, "out of memory for arenas");
	}
	free(order.out);
	free(order.placed);
	free(by_parent);
	free(by_address);
}

static void read_all(struct heap *heap)
{
	if (heap->arenas_read)
		return;
	heap->arenas_read = true;
	for (size_t i = 0; i < heap->instance_count; i++) {
		read_list(heap, i);
		read_meta_caches(heap, i);
	}
	put_in_order(heap);
	heap->arenas_by_address = keys_create(heap, false);
}

size_t heap_arenas(struct heap *heap, const struct heap_arena **ret)
{
	read_all(heap);
	*ret = heap->arenas;
	return heap->arena_count;
}

const struct heap_arena *heap_arena_at(struct heap *heap, uint64_t address)
{
	read_all(heap);
	if (!heap->arenas_by_address)
		return NULL;

	size_t i = index_of(heap, heap->arenas_by_address, address);

	return i == SIZE_MAX ? NULL : &heap->arenas[i];
}

size_t heap_side_caches(struct heap *heap, const struct heap_side_cache **ret)
{
	read_all(heap);
	*ret = heap->side_caches;
	return heap->side_cache_count;
}
