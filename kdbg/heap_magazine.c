/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Magazines: buffers that their slabs have handed out and the program does not
 * have. They hang on each thread's magazine sets and on the caches' depots.
 *
 *	kma_thread.magsets[...].hot, .loaded, .previous
 *	kma_cache.full_magazines[tier] --> magazine --> magazine ...
 *
 * What they hold becomes one bitmap over the running numbers of all buffers.
 * A round that is no buffer's start is noted and ignored.
 */
#include "kdbg/heap_impl.h"

#include <inttypes.h>
#include <stdlib.h>

enum { BITS = 64, ROUNDS_MAX = 4096, TIERS = 4 };

static void mark_round(struct heap *heap, uint64_t magazine, uint64_t round)
{
	uint64_t number;
	uint32_t index;
	size_t slab;

	if (!heap_find(heap, round, &slab, &index) ||
	    round != heap->geometry[slab].start +
			     index * heap->geometry[slab].stride) {
		heap_note(heap, magazine,
			  "magazine %#" PRIx64 ": round %#" PRIx64
			  " is no buffer",
			  magazine, round);
		return;
	}
	number = heap->slabs[slab].first_buffer + index;
	heap->in_magazine[number / BITS] |= UINT64_C(1) << number % BITS;
	heap->rounds_met++;
}

/* Which cache it is of, its first round tells. */
static void keep_magazine(struct heap *heap, uint64_t address, uint64_t rounds,
			  uint64_t first)
{
	struct heap_magazine *all = heap_grow(
		heap->magazines, heap->magazine_count, sizeof(all[0]));
	uint32_t index;
	size_t slab;

	if (!all)
		return;
	heap->magazines = all;
	if (heap_find(heap, first, &slab, &index))
		all[heap->magazine_count++] = (struct heap_magazine){
			.address = address,
			.cache = heap->slabs[slab].cache,
			.rounds = rounds,
		};
}

size_t heap_magazines(struct heap *heap, const struct heap_magazine **ret)
{
	heap_read_magazines(heap);
	*ret = heap->magazines;
	return heap->magazine_count;
}

/* The first rounds of a magazine. */
static void mark_rounds(struct heap *heap, const struct heap_layout *layout,
			uint64_t address, uint64_t rounds)
{
	const struct field *round = &layout->kma_magazine.round;
	const void *view;
	struct err *err;

	if (rounds == 0 || !round->present)
		return;
	if (rounds > ROUNDS_MAX) {
		heap_note(heap, address,
			  "magazine %#" PRIx64 ": %" PRIu64 " rounds", address,
			  rounds);
		return;
	}
	err = target_view(heap->target, address + round->offset,
			  rounds * round->stride, &view);
	if (err) {
		heap_note_err(heap, address,
			      err_wrap(err, "magazine %#" PRIx64, address));
		return;
	}
	keep_magazine(heap, address, rounds, record_integer(view, round->size));
	for (uint64_t i = 0; i < rounds; i++)
		mark_round(heap, address,
			   record_integer((const unsigned char *)view +
						  i * round->stride,
					  round->size));
}

/* One that tells itself how many rounds it has. */
static void mark_magazine(struct heap *heap, const struct heap_layout *layout,
			  uint64_t address, const unsigned char *record)
{
	mark_rounds(heap, layout, address,
		    record_uint(record, &layout->kma_magazine.rounds));
}

static void mark_at(struct heap *heap, const struct heap_layout *layout,
		    uint64_t address)
{
	const unsigned char *record;
	struct err *err;

	if (address == 0)
		return;
	err = heap_record(heap, &layout->kma_magazine.self, address, &record);
	if (err)
		heap_note_err(heap, address,
			      err_wrap(err, "magazine %#" PRIx64, address));
	else
		mark_magazine(heap, layout, address, record);
}

/* The loaded magazine of a set: its last round is in the set (layout.h). */
static void mark_loaded(struct heap *heap, const struct heap_layout *layout,
			const unsigned char *set)
{
	const struct field *round = &layout->kma_magazine.round;
	uint64_t loaded = record_uint(set, &layout->kma_magset.loaded);
	uint64_t top = record_uint(set, &layout->kma_magset.top);
	uint64_t hot = record_uint(set, &layout->kma_magset.hot);

	if (!layout->kma_magset.top.present) {
		mark_at(heap, layout, loaded);
		return;
	}
	if (hot == 0 || !round->present)
		return;
	mark_round(heap, loaded, hot);
	if (top < loaded + round->offset)
		heap_note(heap, loaded,
			  "magazine %#" PRIx64 ": top %#" PRIx64
			  " lies below its rounds",
			  loaded, top);
	else
		mark_rounds(heap, layout, loaded,
			    (top - loaded - round->offset) / round->stride);
}

/* Which cache a thread's set belongs to (layout.h). */
static uint64_t cache_of_set(const struct heap_layout *layout,
			     const struct heap_thread *thread, uint64_t number)
{
	const struct constant *tiers = &layout->constants.KMA_TIER_COUNT;

	if (thread->magset_caches)
		return number % thread->magset_caches;
	return number / (tiers->present && tiers->value ? tiers->value : TIERS);
}

static void keep_magset(struct heap *heap, const struct heap_thread *thread,
			uint64_t address, size_t cache, uint64_t rounds)
{
	struct heap_magset *all =
		heap_grow(heap->magsets, heap->magset_count, sizeof(all[0]));

	if (!all)
		return;
	heap->magsets = all;
	all[heap->magset_count++] = (struct heap_magset){ .address = address,
							  .thread = thread,
							  .cache = cache,
							  .rounds = rounds };
}

size_t heap_magsets(struct heap *heap, const struct heap_magset **ret)
{
	heap_read_magazines(heap);
	*ret = heap->magsets;
	return heap->magset_count;
}

/* One set: its magazines, and its share of the cache's counts. */
static void read_magset(struct heap *heap, const struct heap_thread *thread,
			const unsigned char *record, uint64_t number)
{
	const struct heap_layout *layout =
		&heap->parts[thread->instance].layout;

	uint64_t before = heap->rounds_met;

	mark_loaded(heap, layout, record);
	mark_at(heap, layout,
		record_uint(record, &layout->kma_magset.previous));
	uint64_t alloc = record_uint(record, &layout->kma_magset.alloc);
	uint64_t free = record_uint(record, &layout->kma_magset.free);
	if (alloc == 0 && free == 0)
		return;
	struct heap_cache *cache = heap_cache_indexed(
		heap, thread->instance, cache_of_set(layout, thread, number));
	if (!cache)
		return;
	cache->alloc += alloc;
	cache->free += free;
	keep_magset(heap, thread,
		    thread->magsets + number * layout->kma_magset.self.size,
		    (size_t)(cache - heap->caches), heap->rounds_met - before);
}

static void read_magsets(struct heap *heap, const struct heap_thread *thread)
{
	const struct heap_layout *layout =
		&heap->parts[thread->instance].layout;
	const struct field *self = &layout->kma_magset.self;
	const void *view;
	struct err *err;

	if (thread->magsets == 0 || thread->magset_count == 0 || !self->present)
		return;
	if (thread->magset_count > (uint64_t)HEAP_CACHES_MAX * TIERS) {
		heap_note(heap, thread->address,
			  "thread %" PRIu32 ": %" PRIu64 " magazine sets",
			  thread->tid, thread->magset_count);
		return;
	}
	err = target_view(heap->target, thread->magsets,
			  thread->magset_count * self->size, &view);
	if (err) {
		heap_note_err(heap, thread->address,
			      err_wrap(err, "magazine sets of thread %" PRIu32,
				       thread->tid));
		return;
	}
	for (uint64_t i = 0; i < thread->magset_count; i++)
		read_magset(heap, thread,
			    (const unsigned char *)view + i * self->size, i);
}

static void read_depot(struct heap *heap, const struct heap_cache *cache)
{
	const struct heap_layout *layout = &heap->parts[cache->instance].layout;
	const struct field *full = &layout->kma_cache.full_magazines;
	const unsigned char *record, *magazine;
	uint64_t address;
	struct err *err = heap_record(heap, &layout->kma_cache.self,
				      cache->address, &record);

	if (err) {
		heap_note_err(heap, cache->address, err);
		return;
	}
	for (uint32_t tier = 0; full->present && tier < full->count; tier++) {
		struct heap_list list = heap_list_begin(
			heap, "list of full magazines",
			&layout->kma_magazine.self, &layout->kma_magazine.next,
			record_element(record, full, tier),
			heap->buffer_count + 1);

		while (heap_list_next(&list, &address, &magazine))
			mark_magazine(heap, layout, address, magazine);
	}
}

void heap_read_magazines(struct heap *heap)
{
	const struct heap_thread *threads;
	size_t thread_count;

	if (heap->magazines_read)
		return;
	heap->magazines_read = true;
	heap_read_slabs(heap);
	thread_count = heap_threads(heap, &threads);
	/* One word more: readers take 64 bits from any bit on. */
	heap->in_magazine = calloc(heap->buffer_count / BITS + 2,
				   sizeof(heap->in_magazine[0]));
	if (!heap->in_magazine) {
		heap_note(heap, 0, "out of memory for magazines");
		return;
	}
	for (size_t i = 0; i < thread_count; i++)
		read_magsets(heap, &threads[i]);
	for (size_t i = 0; i < heap->cache_count; i++)
		read_depot(heap, &heap->caches[i]);
}
