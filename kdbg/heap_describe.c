/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What of the allocator's own lies at an address: from the particular (a
 * bufctl, a slab's header) to the general (its reserve). One address is asked
 * about at a time, so structures are gone through one by one.
 */
#include "kdbg/heap_impl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct question {
	struct heap *heap;
	uint64_t address;
	struct heap_description *ret;
};

/* If the address lies there, that is the answer. */
static PRINTF_LIKE(4, 5) bool is_in(const struct question *q, uint64_t base,
				    uint64_t size, const char *fmt, ...)
{
	va_list args;

	if (base == 0 || q->address < base || q->address - base >= size)
		return false;
	q->ret->base = base;
	va_start(args, fmt);
	vsnprintf(q->ret->what, sizeof(q->ret->what), fmt, args);
	va_end(args);
	return true;
}

static bool in_slabs(const struct question *q)
{
	struct heap *heap = q->heap;

	for (size_t i = 0; i < heap->slab_count; i++) {
		const struct heap_slab *slab = &heap->slabs[i];
		const struct heap_cache *cache = &heap->caches[slab->cache];
		const struct heap_layout *layout =
			&heap->parts[cache->instance].layout;
		uint64_t bits = ((uint64_t)slab->buffers + 63) / 64 * 8;
		uint32_t size = layout->kma_bufctl.self.size;

		if (is_in(q, slab->bufctls, (uint64_t)slab->buffers * size,
			  "bufctls of the slab %" PRIx64 " of %s",
			  slab->address, cache->name)) {
			uint64_t index = (q->address - slab->bufctls) / size;

			q->ret->base = slab->bufctls + index * size;
			snprintf(q->ret->what, sizeof(q->ret->what),
				 "bufctl of the buffer %" PRIx64 " of %s",
				 heap->geometry[i].start + index * slab->stride,
				 cache->name);
			return true;
		}
		if (is_in(q, slab->address, layout->kma_slab.self.size,
			  "header of the slab %" PRIx64 " of %s", slab->base,
			  cache->name) ||
		    is_in(q, slab->free_bits, bits,
			  "bitmap of the slab %" PRIx64 " of %s", slab->address,
			  cache->name))
			return true;
	}
	return false;
}

static bool in_caches(const struct question *q)
{
	for (size_t i = 0; i < q->heap->cache_count; i++) {
		const struct heap_cache *cache = &q->heap->caches[i];
		const struct instance *part = &q->heap->parts[cache->instance];

		if (is_in(q, cache->address, part->layout.kma_cache.self.size,
			  "cache %s", cache->name))
			return true;
	}
	return false;
}

static bool in_threads(const struct question *q)
{
	const struct heap_thread *threads;
	size_t count = heap_threads(q->heap, &threads);

	for (size_t i = 0; i < count; i++) {
		const struct heap_thread *thread = &threads[i];
		const struct heap_layout *layout =
			&q->heap->parts[thread->instance].layout;
		uint64_t sets = thread->magset_count;

		if (sets > HEAP_CACHES_MAX)
			sets = 0;
		if (is_in(q, thread->address, layout->kma_thread.self.size,
			  "record of the thread %" PRIu32 " (%s)", thread->tid,
			  thread->name) ||
		    is_in(q, thread->magsets,
			  sets * layout->kma_magset.self.size,
			  "magazine sets of the thread %" PRIu32 " (%s)",
			  thread->tid, thread->name))
			return true;
	}
	return false;
}

static bool in_modules(const struct question *q)
{
	const struct heap_module *modules;
	size_t count = heap_modules(q->heap, &modules);

	for (size_t i = 0; i < count; i++) {
		const struct instance *part =
			&q->heap->parts[modules[i].instance];

		if (is_in(q, modules[i].address,
			  part->layout.kma_module.self.size,
			  "record of the module %s", modules[i].path))
			return true;
	}
	return false;
}

static bool in_logs(const struct question *q)
{
	const struct heap_log *logs;
	size_t count = heap_logs(q->heap, &logs);

	for (size_t i = 0; i < count; i++) {
		const struct instance *part = &q->heap->parts[logs[i].instance];
		uint64_t chunks = logs[i].chunk_count;

		if (chunks > UINT32_MAX || logs[i].chunk_size > UINT32_MAX)
			chunks = 0;
		if (is_in(q, logs[i].address, part->layout.kma_log.self.size,
			  "%s log", logs[i].name) ||
		    is_in(q, logs[i].base, logs[i].chunk_size * chunks,
			  "records of the %s log", logs[i].name))
			return true;
	}
	return false;
}

static bool in_instance(const struct question *q, size_t number)
{
	const struct heap_instance *instance = &q->heap->instances[number];
	const struct instance *part = &q->heap->parts[number];
	uint64_t map = record_uint(part->root, &part->layout.kma_root.page_map);
	uint64_t depot, end;

	if (is_in(q, instance->root, part->layout.kma_root.self.size,
		  "kma_root of %s", instance->name) ||
	    is_in(q, map, part->page_count * sizeof(uint64_t), "page map of %s",
		  instance->name))
		return true;
	if (heap_depot(q->heap, number, &depot, &end) && end > depot &&
	    is_in(q, depot, end - depot, "stack depot of %s", instance->name))
		return true;
	if (is_in(q, instance->heap_base,
		  instance->heap_end - instance->heap_base,
		  "free pages of the heap of %s", instance->name))
		return true;
	return is_in(q, instance->reserve_base,
		     instance->reserve_end - instance->reserve_base,
		     "metadata of %s", instance->name);
}

bool heap_describe(struct heap *heap, uint64_t address,
		   struct heap_description *ret)
{
	const struct question q = { heap, address, ret };

	heap_read_slabs(heap);
	if (in_slabs(&q) || in_caches(&q) || in_threads(&q) || in_modules(&q) ||
	    in_logs(&q))
		return true;
	for (size_t i = 0; i < heap->instance_count; i++)
		if (in_instance(&q, i))
			return true;
	return false;
}
