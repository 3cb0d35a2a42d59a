/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/fake_heap.h"

#include "kdbg/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_SLABS = 16,
	MAX_BUFFERS = 4096,
	MAX_STACKS = 32,
	MAX_FRAMES = 16,
	MAX_THREADS = 8,
	MAX_REGIONS = 8,
	WORD_OFFSET = 8,
	STRIDE = 40,
	STATE_LIVE = 1,
	IGNORED = 1 << 7,
};

struct record {
	bool live;
	uint64_t offset, size, time;
	uint32_t stack;
};

struct heap {
	char *memory, *bufctls;
	size_t pages;
	struct heap_slab slabs[MAX_SLABS];
	bool audited[MAX_SLABS];
	size_t slab_count;
	uint64_t buffer_count;
	struct record records[MAX_BUFFERS];
	struct heap_cache caches[FAKE_CACHES];
	struct heap_instance instance;
	uint32_t *slab_of_page;
	struct heap_pages range;
	uint64_t stacks[MAX_STACKS][MAX_FRAMES];
	size_t depths[MAX_STACKS];
	uint32_t stack_count;
	struct heap_thread threads[MAX_THREADS];
	struct heap_region regions[MAX_REGIONS];
	size_t region_count;
	size_t thread_count;
};

struct fake_heap {
	struct heap heap;
};

static void *add_zeros(struct fake_target *target, uint64_t address,
		       size_t size)
{
	void *zeros = calloc(1, size), *memory;

	assert(zeros);
	memory = fake_target_memory(target, address, zeros, size);
	free(zeros);
	return memory;
}

struct fake_heap *fake_heap_create(struct fake_target *target, size_t pages)
{
	static const char *const names[FAKE_CACHES] = { "kmem_alloc_64",
							"kmem_alloc_128",
							"kmem_alloc_4096",
							"kmem_oversize" };
	struct fake_heap *fake = calloc(1, sizeof(*fake));
	struct heap *heap = &fake->heap;

	assert(fake);
	heap->pages = pages;
	heap->memory = add_zeros(target, FAKE_HEAP_BASE, pages * FAKE_PAGE);
	heap->bufctls = add_zeros(target, FAKE_BUFCTL_BASE,
				  (size_t)MAX_BUFFERS * STRIDE);
	fake_target_map(target, FAKE_HEAP_BASE,
			FAKE_HEAP_BASE + pages * FAKE_PAGE,
			DUMP_MAP_READ | DUMP_MAP_WRITE | DUMP_MAP_STORED, "");
	heap->slab_of_page = malloc(pages * sizeof(uint32_t));
	assert(heap->slab_of_page);
	memset(heap->slab_of_page, 0xff, pages * sizeof(uint32_t));
	heap->range = (struct heap_pages){
		.base = FAKE_HEAP_BASE,
		.end = FAKE_HEAP_BASE + pages * FAKE_PAGE,
		.page_shift = 12,
		.slab_of_page = heap->slab_of_page,
	};
	heap->instance = (struct heap_instance){
		.name = "libkma.so",
		.reserve_base = FAKE_RESERVE_BASE,
		.reserve_end = FAKE_RESERVE_END,
		.heap_base = heap->range.base,
		.heap_end = heap->range.end,
	};
	for (size_t i = 0; i < FAKE_CACHES; i++)
		heap->caches[i].name = names[i];
	return fake;
}

void fake_heap_destroy(struct fake_heap *fake)
{
	free(fake->heap.slab_of_page);
	free(fake);
}

size_t fake_heap_slab(struct fake_heap *fake, const struct fake_slab *slab)
{
	struct heap *heap = &fake->heap;
	size_t number = heap->slab_count++;

	assert(number < MAX_SLABS && slab->page + slab->pages <= heap->pages &&
	       slab->first + slab->stride * slab->buffers <=
		       slab->pages * FAKE_PAGE &&
	       heap->buffer_count + slab->buffers <= MAX_BUFFERS);
	heap->slabs[number] = (struct heap_slab){
		.cache = slab->cache,
		.base = FAKE_HEAP_BASE + slab->page * FAKE_PAGE,
		.size = slab->pages * FAKE_PAGE,
		.first = slab->first,
		.stride = slab->stride,
		.buffers = slab->buffers,
		.first_buffer = heap->buffer_count,
		.bufctls = slab->audited ? FAKE_BUFCTL_BASE +
						   heap->buffer_count * STRIDE
					 : 0,
	};
	heap->audited[number] = slab->audited;
	heap->buffer_count += slab->buffers;
	for (size_t i = 0; i < slab->pages; i++)
		heap->slab_of_page[slab->page + i] = (uint32_t)number;
	return number;
}

uint64_t fake_heap_alloc(struct fake_heap *fake, size_t slab, uint32_t index,
			 uint64_t size)
{
	return fake_heap_alloc_at(fake, slab, index, 0, size);
}

uint64_t fake_heap_alloc_at(struct fake_heap *fake, size_t slab, uint32_t index,
			    uint64_t offset, uint64_t size)
{
	struct heap *heap = &fake->heap;
	const struct heap_slab *s = &heap->slabs[slab];
	uint64_t word = STATE_LIVE | offset / 16 << 8 | size << 20;

	assert(slab < heap->slab_count && index < s->buffers);
	heap->records[s->first_buffer + index] =
		(struct record){ .live = true, .offset = offset, .size = size };
	memcpy(heap->bufctls + (s->first_buffer + index) * STRIDE + WORD_OFFSET,
	       &word, sizeof(word));
	return s->base + s->first + index * s->stride + offset;
}

static struct record *record_at(struct heap *heap, uint64_t user)
{
	struct heap_buffer buffer;

	assert(heap_buffer_at(heap, user, &buffer));
	return &heap->records[heap->slabs[buffer.slab].first_buffer +
			      buffer.index];
}

void fake_heap_event(struct fake_heap *fake, uint64_t user, uint32_t stack,
		     uint64_t time)
{
	struct record *record = record_at(&fake->heap, user);

	record->stack = stack;
	record->time = time;
}

void fake_heap_word(struct fake_heap *fake, uint64_t address, uint64_t word)
{
	memcpy(fake->heap.memory + (address - FAKE_HEAP_BASE), &word,
	       sizeof(word));
}

uint32_t fake_heap_stack(struct fake_heap *fake, const uint64_t *pcs,
			 size_t count)
{
	struct heap *heap = &fake->heap;
	uint32_t id = ++heap->stack_count;

	assert(id < MAX_STACKS && count <= MAX_FRAMES);
	memcpy(heap->stacks[id], pcs, count * sizeof(*pcs));
	heap->depths[id] = count;
	return id;
}

void fake_heap_thread(struct fake_heap *fake, const struct heap_thread *thread)
{
	assert(fake->heap.thread_count < MAX_THREADS);
	fake->heap.threads[fake->heap.thread_count++] = *thread;
}

void fake_heap_ignore(struct fake_heap *fake, uint64_t user)
{
	struct heap *heap = &fake->heap;
	struct heap_buffer buffer;
	uint64_t word;
	char *at;

	assert(heap_buffer_at(heap, user, &buffer));
	at = heap->bufctls +
	     (heap->slabs[buffer.slab].first_buffer + buffer.index) * STRIDE +
	     WORD_OFFSET;
	memcpy(&word, at, sizeof(word));
	word |= IGNORED;
	memcpy(at, &word, sizeof(word));
}

void fake_heap_region(struct fake_heap *fake, uint64_t start, uint64_t end)
{
	struct heap *heap = &fake->heap;

	assert(heap->region_count < MAX_REGIONS);
	heap->regions[heap->region_count++] =
		(struct heap_region){ start, end };
}

struct heap *fake_heap_finish(struct fake_heap *fake)
{
	return &fake->heap;
}

uint64_t fake_heap_number(struct fake_heap *fake, uint64_t user)
{
	return (uint64_t)(record_at(&fake->heap, user) - fake->heap.records);
}

/* What the engines see. */

struct err *session_heap(struct session *session, struct heap **ret)
{
	*ret = session->heap;
	return NULL;
}

struct err *session_reach(struct session *session, struct reach **ret)
{
	*ret = session->reach;
	return NULL;
}

struct err *session_symbols(struct session *session, struct symbols **ret)
{
	(void)session;
	*ret = NULL;
	return err_new(ERR_NOT_FOUND, "no symbols");
}

size_t heap_instances(const struct heap *heap, const struct heap_instance **ret)
{
	*ret = &heap->instance;
	return 1;
}

size_t heap_caches(struct heap *heap, const struct heap_cache **ret)
{
	*ret = heap->caches;
	return FAKE_CACHES;
}

const struct heap_cache *heap_cache_of(struct heap *heap, size_t slab)
{
	return &heap->caches[heap->slabs[slab].cache];
}

size_t heap_slabs(struct heap *heap, const struct heap_slab **ret)
{
	*ret = heap->slabs;
	return heap->slab_count;
}

uint64_t heap_buffer_count(struct heap *heap)
{
	return heap->buffer_count;
}

size_t heap_foreign_pages(struct heap *heap, const struct heap_pages **ret)
{
	(void)heap;
	*ret = NULL;
	return 0;
}

size_t heap_pages(struct heap *heap, const struct heap_pages **ret)
{
	*ret = &heap->range;
	return 1;
}

bool heap_bufctl_layout(const struct heap *heap, size_t instance,
			struct heap_bufctl_layout *ret)
{
	(void)heap;
	(void)instance;
	*ret = (struct heap_bufctl_layout){
		.stride = STRIDE,
		.word_offset = WORD_OFFSET,
		.state_mask = 0xf,
		.state_allocated = STATE_LIVE,
		.offset_shift = 8,
		.offset_mask = 0xfff,
		.ignored = IGNORED,
		.size_shift = 20,
	};
	return true;
}

void heap_slab_live(struct heap *heap, size_t slab, uint64_t *bits)
{
	const struct heap_slab *s = &heap->slabs[slab];

	memset(bits, 0, (s->buffers + 63) / 64 * 8);
	for (uint32_t i = 0; i < s->buffers; i++)
		if (heap->records[s->first_buffer + i].live)
			bits[i / 64] |= UINT64_C(1) << i % 64;
}

size_t heap_threads(struct heap *heap, const struct heap_thread **ret)
{
	*ret = heap->threads;
	return heap->thread_count;
}

size_t heap_regions(struct heap *heap, const struct heap_region **ret)
{
	*ret = heap->regions;
	return heap->region_count;
}

bool heap_owns(const struct heap *heap, uint64_t address)
{
	return address >= heap->instance.reserve_base &&
	       address < heap->instance.reserve_end;
}

bool heap_buffer_get(struct heap *heap, size_t slab, uint32_t index,
		     struct heap_buffer *ret)
{
	const struct heap_slab *s = &heap->slabs[slab];
	const struct record *record = &heap->records[s->first_buffer + index];
	uint64_t start = s->base + s->first + index * s->stride;

	*ret = (struct heap_buffer){
		.slab = slab,
		.index = index,
		.start = start,
		.user = start + record->offset,
		.size = heap->audited[slab] ? record->size : s->stride,
		.state = record->live ? BUFFER_ALLOCATED : BUFFER_FREE,
		.bufctl = s->bufctls ? s->bufctls + index * STRIDE : 0,
		.alloc = { .time = record->time, .stack = record->stack },
	};
	return true;
}

bool heap_buffer_at(struct heap *heap, uint64_t address,
		    struct heap_buffer *ret)
{
	for (size_t i = 0; i < heap->slab_count; i++) {
		const struct heap_slab *s = &heap->slabs[i];
		uint64_t offset = address - s->base - s->first;

		if (offset < s->stride * s->buffers)
			return heap_buffer_get(
				heap, i, (uint32_t)(offset / s->stride), ret);
	}
	return false;
}

size_t heap_stack(struct heap *heap, size_t instance, uint32_t id,
		  const uint64_t **pcs, uint32_t *flags)
{
	(void)instance;
	if (!id || id > heap->stack_count)
		return 0;
	*pcs = heap->stacks[id];
	*flags = 0;
	return heap->depths[id];
}

uint64_t heap_stack_caller(struct heap *heap, size_t instance, uint32_t id)
{
	const uint64_t *pcs;
	uint32_t flags;

	return heap_stack(heap, instance, id, &pcs, &flags) > 1 ? pcs[1] : 0;
}

bool heap_buffer_of_bufctl(struct heap *heap, uint64_t bufctl,
			   struct heap_buffer *ret)
{
	uint64_t number = (bufctl - FAKE_BUFCTL_BASE) / STRIDE;

	for (size_t i = 0; i < heap->slab_count; i++) {
		uint64_t index = number - heap->slabs[i].first_buffer;

		if (heap->audited[i] && index < heap->slabs[i].buffers)
			return heap_buffer_get(heap, i, (uint32_t)index, ret);
	}
	return false;
}
