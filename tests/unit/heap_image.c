/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/heap_image.h"

#include "alloc/schema.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void *heap_image_alloc(struct heap_image *image, size_t size)
{
	void *p = image->meta + image->used;

	image->used += (size + 63) & ~(size_t)63;
	assert(image->used <= IMAGE_META_SIZE);
	return p;
}

uint64_t heap_image_address(const struct heap_image *image, const void *p)
{
	return IMAGE_META + (uint64_t)((const char *)p - image->meta);
}

void *heap_image_at(const struct heap_image *image, const void *address)
{
	return image->meta + ((uintptr_t)address - IMAGE_META);
}

static void make_root(struct heap_image *image)
{
	struct kma_root *root = heap_image_alloc(image, sizeof(*root));
	size_t schema_size = kma_schema_count * sizeof(kma_schema[0]);

	image->root = root;
	image->schema = heap_image_alloc(image, schema_size);
	memcpy(image->schema, kma_schema, schema_size);
	image->page_map =
		heap_image_alloc(image, IMAGE_PAGES * sizeof(uint64_t));
	root->head = (struct kma_root_head){
		.magic = { KMA_ROOT_MAGIC0, KMA_ROOT_MAGIC1 },
		.self = heap_image_address(image, root),
		.root_size = sizeof(*root),
		.schema = heap_image_address(image, image->schema),
		.schema_count = kma_schema_count,
		.schema_record_size = sizeof(kma_schema[0]),
	};
	strcpy(root->version, "0.1");
	strcpy(root->instance, "libfake.so");
	root->tier = KMA_TIER_AUDIT;
	root->clock[0] = (struct kma_clock_pair){ 1000, 500, 0 };
	root->clock[1] = (struct kma_clock_pair){ 3000, 1500, 0 };
	root->reserve_base = IMAGE_META;
	root->reserve_end = IMAGE_HEAP + IMAGE_PAGES * KMA_PAGE_SIZE;
	root->heap_base = IMAGE_HEAP;
	root->heap_committed = root->heap_end = root->reserve_end;
	root->text_base = IMAGE_TEXT;
	root->text_end = IMAGE_TEXT + KMA_PAGE_SIZE;
	root->page_map = IMAGE_POINTER(image, image->page_map);
}

static void make_depot(struct heap_image *image)
{
	char *entries = heap_image_alloc(image, IMAGE_DEPOT_SIZE);

	image->depot = heap_image_alloc(image, sizeof(*image->depot));
	image->depot->base = IMAGE_POINTER(image, entries);
	image->depot->used = KMA_STACK_UNIT; /* id 0 is none */
	image->depot->capacity = IMAGE_DEPOT_SIZE;
	image->root->depot = IMAGE_POINTER(image, image->depot);
}

struct heap_image *heap_image_create(void)
{
	struct heap_image *image = calloc(1, sizeof(*image));

	assert(image);
	image->meta = calloc(1, IMAGE_META_SIZE);
	assert(image->meta);
	image->target = fake_target_create();
	make_root(image);
	make_depot(image);
	fake_target_root(image->target, image->root->head.self);
	return image;
}

struct kma_cache *heap_image_cache(struct heap_image *image, const char *name,
				   size_t bufsize)
{
	struct kma_cache *cache = heap_image_alloc(image, sizeof(*cache));
	struct kma_cache **link = &image->root->caches;

	while (*link)
		link = &((struct kma_cache *)heap_image_at(image, *link))->next;
	*link = IMAGE_POINTER(image, cache);
	strcpy(cache->name, name);
	cache->index = image->root->cache_count++;
	cache->bufsize = bufsize;
	cache->align = 16;
	return cache;
}

struct kma_slab *heap_image_slab(struct heap_image *image,
				 struct kma_cache *cache, size_t page,
				 size_t pages, enum kma_tier tier)
{
	struct kma_slab *slab = heap_image_alloc(image, sizeof(*slab));
	uint64_t *bits;

	slab->cache = IMAGE_POINTER(image, cache);
	slab->base = IMAGE_HEAP + page * KMA_PAGE_SIZE;
	slab->pages = pages;
	slab->first = tier == KMA_TIER_AUDIT ? 16 : 0;
	slab->stride = cache->bufsize + slab->first;
	slab->buffers = (uint32_t)((pages * KMA_PAGE_SIZE - slab->first) /
				   slab->stride);
	slab->tier = (uint8_t)tier;
	slab->kind = KMA_PAGE_SLAB;
	bits = heap_image_alloc(image, (slab->buffers + 63) / 64 * 8);
	for (uint32_t i = 0; i < slab->buffers; i++)
		bits[i / 64] |= UINT64_C(1) << i % 64;
	slab->free_bits = IMAGE_POINTER(image, bits);
	if (tier == KMA_TIER_AUDIT)
		slab->bufctls = IMAGE_POINTER(
			image,
			heap_image_alloc(image,
					 slab->buffers *
						 sizeof(slab->bufctls[0])));
	cache->buf_total += slab->buffers;
	cache->pages += pages;
	for (size_t i = page; i < page + pages; i++)
		image->page_map[i] =
			kma_pages_word(IMAGE_POINTER(image, slab),
				       KMA_PAGE_SLAB, tier, cache->index);
	return slab;
}

uint64_t heap_image_buffer(const struct kma_slab *slab, uint32_t index)
{
	return slab->base + slab->first + index * slab->stride;
}

void heap_image_take(struct heap_image *image, struct kma_slab *slab,
		     uint32_t index, size_t size, uint32_t stack)
{
	uint64_t *bits = heap_image_at(image, slab->free_bits);

	bits[index / 64] &= ~(UINT64_C(1) << index % 64);
	slab->in_use++;
	if (!slab->bufctls)
		return;
	struct kma_bufctl *bufctls = heap_image_at(image, slab->bufctls);
	bufctls[index] = (struct kma_bufctl){
		.word = (uint64_t)KMA_BUFFER_ALLOCATED |
			(uint64_t)size << KMA_BUFCTL_SIZE_SHIFT,
		.alloc_time = 2000,
		.alloc_thread = 7,
		.alloc_stack = stack,
	};
}

uint32_t heap_image_stack(struct heap_image *image, const uint64_t *pcs,
			  uint16_t depth)
{
	uint64_t at = image->depot->used;
	struct kma_stack *stack =
		(void *)((char *)heap_image_at(image, image->depot->base) + at);

	stack->depth = depth;
	memcpy(stack->pc, pcs, depth * sizeof(pcs[0]));
	image->depot->used += sizeof(*stack) + depth * sizeof(pcs[0]);
	image->depot->count++;
	return (uint32_t)(at / KMA_STACK_UNIT);
}

struct kma_thread *heap_image_thread(struct heap_image *image, uint32_t tid)
{
	struct kma_thread *thread = heap_image_alloc(image, sizeof(*thread));

	thread->next = image->root->threads;
	thread->tid = tid;
	thread->state = KMA_THREAD_LIVE;
	strcpy(thread->name, "worker");
	thread->magset_caches = image->root->cache_count;
	thread->magset_count = thread->magset_caches * KMA_TIER_COUNT;
	thread->magsets = IMAGE_POINTER(
		image,
		heap_image_alloc(image, thread->magset_count *
						sizeof(struct kma_magset)));
	image->root->threads = IMAGE_POINTER(image, thread);
	return thread;
}

struct kma_magazine *heap_image_magazine(struct heap_image *image,
					 const uint64_t *rounds, uint32_t count)
{
	struct kma_magazine *magazine = heap_image_alloc(
		image, sizeof(*magazine) + count * sizeof(rounds[0]));

	magazine->rounds = magazine->capacity = count;
	memcpy(magazine->round, rounds, count * sizeof(rounds[0]));
	return magazine;
}

void heap_image_load(struct heap_image *image, struct kma_magset *set,
		     struct kma_magazine *magazine)
{
	void **place = magazine->round + magazine->rounds - 1;

	set->loaded = IMAGE_POINTER(image, magazine);
	set->top = IMAGE_POINTER(image, place);
	set->limit = set->top;
	set->hot = *place;
	*place = NULL; /* means nothing while it is loaded */
	magazine->rounds = 0;
}

struct target *heap_image_finish(struct heap_image *image)
{
	struct target *target;

	fake_target_memory(image->target, IMAGE_META, image->meta,
			   (image->used + 4095) & ~(size_t)4095);
	target = fake_target_finish(image->target);
	free(image->meta);
	free(image);
	return target;
}
