/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/heap_sample.h"

static void add_log(struct heap_sample *s)
{
	struct kma_log_record *records;

	s->log = heap_image_alloc(s->image, sizeof(*s->log));
	s->chunk = heap_image_alloc(s->image, HEAP_SAMPLE_CHUNK);
	s->log->kind = KMA_LOG_TRANSACTION;
	s->log->chunk_size = HEAP_SAMPLE_CHUNK;
	s->log->chunk_count = 1;
	s->log->base = IMAGE_POINTER(s->image, s->chunk);
	s->image->root->logs = IMAGE_POINTER(s->image, s->log);
	s->chunk->sequence = 1;
	s->chunk->used = 2 * sizeof(*records);
	records = (void *)(s->chunk + 1);
	records[0].valid = records[1].valid = 1;
}

struct heap_sample heap_sample_make(void)
{
	struct heap_sample s = { .image = heap_image_create() };
	const uint64_t pcs[] = { IMAGE_TEXT + 8, 0x401000 };

	s.cache[0] = heap_image_cache(s.image, "kmem_alloc_64", 64);
	s.cache[1] = heap_image_cache(s.image, "kmem_oversize", 4096);
	s.off = heap_image_slab(s.image, s.cache[0], 0, 1, KMA_TIER_OFF);
	s.audit = heap_image_slab(s.image, s.cache[0], 4, 2, KMA_TIER_AUDIT);
	s.large = heap_image_slab(s.image, s.cache[1], 8, 3, KMA_TIER_OFF);
	s.thread = heap_image_thread(s.image, 7);
	for (uint32_t i = 0; i < 4; i++) {
		heap_image_take(s.image, s.off, i, 0, 0);
		heap_image_take(s.image, s.audit, i, 32,
				heap_image_stack(s.image, pcs, 2));
	}
	uint64_t rounds[] = { heap_image_buffer(s.off, 0) };
	s.loaded = heap_image_magazine(s.image, rounds, 1);
	rounds[0] = heap_image_buffer(s.off, 1);
	s.full = heap_image_magazine(s.image, rounds, 1);
	struct kma_magset *sets = heap_image_at(s.image, s.thread->magsets);
	heap_image_load(s.image, &sets[0], s.loaded);
	s.set = &sets[0];
	s.cache[0]->full_magazines[0] = IMAGE_POINTER(s.image, s.full);
	add_log(&s);
	return s;
}
