/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What kernels' interfaces keep: the clients of caches (pools, object caches),
 * types of malloc's, who sleeps for memory. Each is a list or hangs on a cache;
 * a target that has none, or an older libkma, has none here.
 */
#include "kdbg/heap_clients.h"

#include "kdbg/heap_impl.h"

#include <inttypes.h>
#include <stdlib.h>

enum { TYPES_MAX = 1 << 16, WAITERS_MAX = 1 << 16, PERCPUS_MAX = 1 << 16 };

/* --- clients ----------------------------------------------------------------
 */

static struct heap_client read_client(const struct heap_layout *layout,
				      const unsigned char *cache,
				      const unsigned char *client)
{
	const struct constant *pool = &layout->constants.KMA_POOL;
	uint64_t flags = record_uint(client, &layout->kma_client.flags);

#define CLIENT(field) record_uint(client, &layout->kma_client.field)
	return (struct heap_client){
		.size = CLIENT(size),
		.is_pool = pool->present && flags & pool->value,
		.flags = flags,
		.align_offset =
			record_uint(cache, &layout->kma_cache.align_offset),
		.out = record_uint(cache, &layout->kma_cache.out),
		.limit = record_uint(cache, &layout->kma_cache.limit),
		.magazine_size =
			record_uint(cache, &layout->kma_cache.magazine_size),
		.low = CLIENT(low),
		.slab_min = CLIENT(slab_min),
		.slab_high = CLIENT(slab_high),
		.slab_peak = CLIENT(slab_peak),
		.waits = CLIENT(waits),
		.limit_fails = CLIENT(limit_fails),
		.construct_fails = CLIENT(construct_fails),
		.reaps = CLIENT(reaps),
		.construct = CLIENT(construct),
		.destruct = CLIENT(destruct),
		.argument = CLIENT(arg),
		.import = CLIENT(import),
		.slab_size = CLIENT(slab_size),
	};
#undef CLIENT
}

bool heap_client_of(struct heap *heap, const struct heap_cache *cache,
		    struct heap_client *ret)
{
	const struct heap_layout *layout = &heap->parts[cache->instance].layout;
	const unsigned char *record, *client;
	uint64_t address;
	struct err *err;

	if (!layout->kma_cache.client.present)
		return false;
	err = heap_record(heap, &layout->kma_cache.self, cache->address,
			  &record);
	if (err) {
		err_free(err);
		return false;
	}
	address = record_uint(record, &layout->kma_cache.client);
	if (!address)
		return false;
	err = heap_record(heap, &layout->kma_client.self, address, &client);
	if (err) {
		heap_note_err(
			heap, cache->address,
			err_wrap(err, "client of the cache %s", cache->name));
		return false;
	}
	*ret = read_client(layout, record, client);
	ret->address = address;
	return true;
}

/* --- types ------------------------------------------------------------------
 */

static struct heap_type read_type(struct heap *heap, size_t instance,
				  uint64_t address, const unsigned char *record)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;

#define TYPE(field) record_uint(record, &layout->kma_type.field)
	return (struct heap_type){
		.address = address,
		.instance = instance,
		.name = heap_field_text(heap, record, &layout->kma_type.name),
		.number = (uint32_t)TYPE(number),
		.inuse = TYPE(inuse),
		.memuse = TYPE(memuse),
		.maxused = TYPE(maxused),
		.limit = TYPE(limit),
		.calls = TYPE(calls),
		.fails = TYPE(fails),
		.limblocks = TYPE(limblocks),
		.sizes = TYPE(sizes),
	};
#undef TYPE
}

static void read_types(struct heap *heap, size_t instance)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	const unsigned char *record;
	uint64_t address;
	struct heap_list list =
		heap_list_begin(heap, "list of types", &layout->kma_type.self,
				&layout->kma_type.next,
				record_uint(heap->parts[instance].root,
					    &layout->kma_root.types),
				TYPES_MAX);

	while (heap_list_next(&list, &address, &record)) {
		struct heap_type *types = heap_grow(
			heap->types, heap->type_count, sizeof(types[0]));

		if (!types) {
			heap_note(heap, 0, "out of memory for types");
			continue;
		}
		heap->types = types;
		types[heap->type_count++] =
			read_type(heap, instance, address, record);
	}
}

size_t heap_types(struct heap *heap, const struct heap_type **ret)
{
	if (!heap->types_read) {
		heap->types_read = true;
		for (size_t i = 0; i < heap->instance_count; i++)
			read_types(heap, i);
	}
	*ret = heap->types;
	return heap->type_count;
}

/* The number beside the slab; 0: none. */
static uint64_t type_number(struct heap *heap, const struct heap_buffer *buffer)
{
	const struct heap_slab *slab = &heap->slabs[buffer->slab];
	const struct heap_layout *layout =
		&heap->parts[heap->caches[slab->cache].instance].layout;
	const unsigned char *record;
	uint64_t types;
	uint16_t number = 0;
	struct err *err;

	if (!layout->kma_slab.types.present)
		return 0;
	err = heap_record(heap, &layout->kma_slab.self, slab->address, &record);
	if (err) {
		err_free(err);
		return 0;
	}
	types = record_uint(record, &layout->kma_slab.types);
	if (!types || types % sizeof(number))
		return 0;
	if (target_read_some(heap->target,
			     types + buffer->index * sizeof(number), &number,
			     sizeof(number)) != sizeof(number))
		return 0;
	return number;
}

const struct heap_type *heap_type_of(struct heap *heap,
				     const struct heap_buffer *buffer)
{
	const struct heap_slab *slab = &heap->slabs[buffer->slab];
	size_t instance = heap->caches[slab->cache].instance;
	uint64_t number = type_number(heap, buffer);
	const struct heap_type *types;
	size_t count = number ? heap_types(heap, &types) : 0;

	for (size_t i = 0; i < count; i++)
		if (types[i].number == number && types[i].instance == instance)
			return &types[i];
	return NULL;
}

/* --- who sleeps -------------------------------------------------------------
 */

static struct heap_waiter read_waiter(struct heap *heap, size_t instance,
				      uint64_t address,
				      const unsigned char *record)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	uint64_t since = record_uint(record, &layout->kma_waiter.since);
	uint64_t kind = record_uint(record, &layout->kma_waiter.kind);
	static const char *const kinds[] = { "-", "heap", "cache", "type",
					     "arena" };

	return (struct heap_waiter){
		.address = address,
		.instance = instance,
		.thread = (uint32_t)record_uint(record,
						&layout->kma_waiter.thread),
		.kind = kinds[kind < sizeof(kinds) / sizeof(kinds[0]) ? kind
								      : 0],
		.size = record_uint(record, &layout->kma_waiter.size),
		.since_ns = heap_time_ns(heap, instance, since),
		.stack = (uint32_t)record_uint(record,
					       &layout->kma_waiter.stack),
		.name = heap_field_text(heap, record, &layout->kma_waiter.name),
	};
}

static void read_waiters(struct heap *heap, size_t instance)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	const unsigned char *record;
	uint64_t address;
	struct heap_list list = heap_list_begin(
		heap, "list of waiters", &layout->kma_waiter.self,
		&layout->kma_waiter.next,
		record_uint(heap->parts[instance].root,
			    &layout->kma_root.waiters),
		WAITERS_MAX);

	while (heap_list_next(&list, &address, &record)) {
		struct heap_waiter *waiters = heap_grow(
			heap->waiters, heap->waiter_count, sizeof(waiters[0]));

		if (!waiters) {
			heap_note(heap, 0, "out of memory for waiters");
			continue;
		}
		heap->waiters = waiters;
		waiters[heap->waiter_count++] =
			read_waiter(heap, instance, address, record);
	}
}

size_t heap_waiters(struct heap *heap, const struct heap_waiter **ret)
{
	if (!heap->waiters_read) {
		heap->waiters_read = true;
		for (size_t i = 0; i < heap->instance_count; i++)
			read_waiters(heap, i);
	}
	*ret = heap->waiters;
	return heap->waiter_count;
}

/* --- for each processor -----------------------------------------------------
 */

static struct heap_percpu read_percpu(const struct heap_layout *layout,
				      uint64_t address,
				      const unsigned char *record)
{
	return (struct heap_percpu){
		.address = address,
		.size = record_uint(record, &layout->kma_percpu.size),
		.stride = record_uint(record, &layout->kma_percpu.stride),
		.count = record_uint(record, &layout->kma_percpu.count),
		.first = record_uint(record, &layout->kma_percpu.parts) +
			 layout->constants.KMA_PERCPU_HEAD.value,
	};
}

static void read_percpus(struct heap *heap, size_t instance)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	const unsigned char *record;
	uint64_t address;
	struct heap_list list = heap_list_begin(
		heap, "list of percpu", &layout->kma_percpu.self,
		&layout->kma_percpu.next,
		record_uint(heap->parts[instance].root,
			    &layout->kma_root.percpus),
		PERCPUS_MAX);

	while (heap_list_next(&list, &address, &record)) {
		struct heap_percpu *percpus = heap_grow(
			heap->percpus, heap->percpu_count, sizeof(percpus[0]));

		if (!percpus) {
			heap_note(heap, 0, "out of memory for percpu");
			continue;
		}
		heap->percpus = percpus;
		percpus[heap->percpu_count] =
			read_percpu(layout, address, record);
		percpus[heap->percpu_count++].instance = instance;
	}
}

size_t heap_percpus(struct heap *heap, const struct heap_percpu **ret)
{
	if (!heap->percpus_read) {
		heap->percpus_read = true;
		for (size_t i = 0; i < heap->instance_count; i++)
			read_percpus(heap, i);
	}
	*ret = heap->percpus;
	return heap->percpu_count;
}

/* --- guards -----------------------------------------------------------------
 */

uint64_t heap_root_uint(const struct heap *heap, size_t instance,
			enum heap_root_field field)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	const unsigned char *root = heap->parts[instance].root;

	switch (field) {
	case HEAP_ROOT_GUARD_DEPTH:
		return record_uint(root, &layout->kma_root.guard_depth);
	case HEAP_ROOT_GUARDS_MISSING:
		return record_uint(root, &layout->kma_root.guards_missing);
	case HEAP_ROOT_HEAP_LIMIT:
		return record_uint(root, &layout->kma_root.heap_limit);
	}
	return 0;
}
