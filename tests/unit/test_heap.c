/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The heap view on a heap that is whole. */
#include "kdbg/heap.h"
#include "tests/test_util.h"
#include "tests/unit/heap_image.h"

#include <stdlib.h>
#include <string.h>

struct opened {
	struct target *target;
	struct heap *heap;
};

static struct opened open_image(struct heap_image *image)
{
	struct opened opened = { .target = heap_image_finish(image) };

	assert_ok(heap_open(opened.target, &opened.heap));
	return opened;
}

static void close_all(struct opened *opened)
{
	const struct heap_problem *problems;

	for (size_t i = 0; i < heap_problems(opened->heap, &problems); i++)
		fail_msg("problem: %s", problems[i].text);
	heap_close(opened->heap);
	target_close(opened->target);
}

static void root_tells_of_the_instance(void **state)
{
	(void)state;
	struct opened opened = open_image(heap_image_create());
	const struct heap_instance *instance;

	assert_int_equal(heap_instances(opened.heap, &instance), 1);
	assert_string_equal(instance->name, "libfake.so");
	assert_int_equal(instance->tier, TIER_AUDIT);
	assert_int_equal(instance->heap_base, IMAGE_HEAP);
	assert_true(heap_owns(opened.heap, IMAGE_META));
	assert_false(heap_owns(opened.heap, IMAGE_META - 1));
	close_all(&opened);
}

static void no_root_means_no_libkma(void **state)
{
	(void)state;
	struct target *target = fake_target_finish(fake_target_create());
	struct heap *heap;
	struct err *err = heap_open(target, &heap);

	assert_int_equal(err_code(err), ERR_NOT_FOUND);
	err_free(err);
	target_close(target);
}

static void ticks_become_nanoseconds(void **state)
{
	(void)state;
	struct opened opened = open_image(heap_image_create());

	assert_true(heap_time_known(opened.heap, 0));
	assert_int_equal(heap_time_ns(opened.heap, 0, 1000), 500);
	assert_int_equal(heap_time_ns(opened.heap, 0, 2000), 1000);
	assert_int_equal(heap_time_ns(opened.heap, 0, 0), 0);
	assert_int_equal(heap_time_ns(opened.heap, 0, 5000), 2500);
	close_all(&opened);
}

/* Off: bitmap and magazines. Audit: bufctls. */
static void counts_tell_live_from_free(void **state)
{
	(void)state;
	struct heap_image *image = heap_image_create();
	struct kma_cache *cache = heap_image_cache(image, "kmem_alloc_64", 64);
	struct kma_slab *off =
		heap_image_slab(image, cache, 0, 1, KMA_TIER_OFF);
	struct kma_slab *audit =
		heap_image_slab(image, cache, 1, 2, KMA_TIER_AUDIT);
	const struct heap_cache *caches;
	struct heap_buffer buffer;

	for (uint32_t i = 0; i < 6; i++)
		heap_image_take(image, off, i, 0, 0);
	for (uint32_t i = 0; i < 3; i++)
		heap_image_take(image, audit, i, 10 + i, 0);
	uint64_t loaded[] = { heap_image_buffer(off, 4),
			      heap_image_buffer(off, 1) };
	uint64_t full[] = { heap_image_buffer(off, 3) };
	struct kma_thread *thread = heap_image_thread(image, 7);
	struct kma_magset *sets = heap_image_at(image, thread->magsets);
	heap_image_load(image, &sets[0], heap_image_magazine(image, loaded, 2));
	sets[0].alloc = 40;
	cache->alloc = 2;
	cache->full_magazines[KMA_TIER_OFF] =
		IMAGE_POINTER(image, heap_image_magazine(image, full, 1));

	const struct heap_magset *kept;
	struct opened opened = open_image(image);
	assert_int_equal(heap_magsets(opened.heap, &kept), 1);
	assert_int_equal(kept->rounds, 2);
	assert_int_equal(kept->thread->tid, 7);
	assert_int_equal(heap_caches(opened.heap, &caches), 1);
	assert_string_equal(caches->name, "kmem_alloc_64");
	assert_int_equal(caches->buf_total, 64 + 102);
	assert_int_equal(caches->buf_in_use, 3 + 3);
	assert_int_equal(caches->buf_cached, 3);
	assert_int_equal(caches->pages, 3);
	assert_int_equal(caches->alloc, 42);
	assert_true(heap_buffer_get(opened.heap, 0, 1, &buffer));
	assert_int_equal(buffer.state, BUFFER_FREE);
	assert_true(buffer.cached);
	assert_true(heap_buffer_get(opened.heap, 0, 2, &buffer));
	assert_int_equal(buffer.state, BUFFER_ALLOCATED);
	assert_true(heap_buffer_get(opened.heap, 1, 2, &buffer));
	assert_int_equal(buffer.state, BUFFER_ALLOCATED);
	assert_int_equal(buffer.size, 12);
	assert_true(heap_buffer_get(opened.heap, 1, 3, &buffer));
	assert_int_equal(buffer.state, BUFFER_NEVER);
	close_all(&opened);
}

/* Each address of a slab's pages, for many strides, against division. */
static void every_address_finds_its_buffer(void **state)
{
	(void)state;
	struct heap_image *image = heap_image_create();
	const size_t strides[] = { 8, 16, 24, 48, 80, 112, 333, 1344, 4097 };
	enum { COUNT = sizeof(strides) / sizeof(strides[0]), PAGES = 4 };
	struct kma_slab slabs[COUNT];

	for (size_t i = 0; i < COUNT; i++) {
		struct kma_cache *cache =
			heap_image_cache(image, "kmem_alloc", strides[i]);
		struct kma_slab *slab = heap_image_slab(
			image, cache, 10 + i * PAGES, PAGES, KMA_TIER_OFF);

		slab->first = 3 * i;
		slab->buffers--;
		slabs[i] = *slab;
	}
	struct opened opened = open_image(image);
	for (size_t i = 0; i < COUNT; i++)
		for (uint64_t a = 0; a < PAGES * KMA_PAGE_SIZE; a++) {
			uint64_t offset = a - slabs[i].first;
			bool inside =
				a >= slabs[i].first &&
				offset < slabs[i].buffers * slabs[i].stride;
			uint32_t index;
			size_t slab;

			assert_int_equal(heap_find(opened.heap,
						   slabs[i].base + a, &slab,
						   &index),
					 inside);
			if (!inside)
				continue;
			assert_int_equal(slab, i);
			assert_int_equal(index, offset / slabs[i].stride);
		}
	size_t slab;
	assert_false(heap_slab_at(opened.heap, IMAGE_HEAP, &slab));
	assert_false(heap_slab_at(opened.heap, IMAGE_HEAP - 1, &slab));
	assert_false(heap_slab_at(opened.heap, UINT64_MAX, &slab));
	close_all(&opened);
}

static void bufctl_leads_back_to_its_buffer(void **state)
{
	(void)state;
	struct heap_image *image = heap_image_create();
	struct kma_cache *cache = heap_image_cache(image, "kmem_alloc_32", 32);
	struct kma_slab *slab =
		heap_image_slab(image, cache, 3, 1, KMA_TIER_AUDIT);
	struct kma_bufctl *bufctls = heap_image_at(image, slab->bufctls);
	uint64_t address = (uint64_t)(uintptr_t)slab->bufctls;
	uint32_t count = slab->buffers;
	struct heap_buffer buffer;

	bufctls[5] = (struct kma_bufctl){
		.word = (uint64_t)KMA_BUFFER_FREE |
			(uint64_t)KMA_FAMILY_NEW << KMA_BUFCTL_FAMILY_SHIFT |
			UINT64_C(1) << KMA_BUFCTL_OFFSET_SHIFT |
			UINT64_C(9) << KMA_BUFCTL_SIZE_SHIFT,
		.alloc_time = 1000,
		.free_time = 3000,
		.alloc_thread = 1,
		.free_thread = 2,
	};
	struct opened opened = open_image(image);
	assert_true(heap_buffer_of_bufctl(
		opened.heap, address + 5 * sizeof(*bufctls) + 3, &buffer));
	assert_int_equal(buffer.index, 5);
	assert_int_equal(buffer.state, BUFFER_FREE);
	assert_int_equal(buffer.family, KMA_FAMILY_NEW);
	assert_int_equal(buffer.user, buffer.start + 16);
	assert_int_equal(buffer.size, 9);
	assert_int_equal(buffer.alloc.thread, 1);
	assert_int_equal(buffer.free.time_ns, 1500);
	assert_false(heap_buffer_of_bufctl(opened.heap, address - 1, &buffer));
	assert_false(heap_buffer_of_bufctl(
		opened.heap, address + count * sizeof(*bufctls), &buffer));
	close_all(&opened);
}

/* A crash in the middle of free(): what the buffer holds may be held by
 * nothing else, so it is still the program's. */
static void buffer_that_changes_is_live(void **state)
{
	(void)state;
	struct heap_image *image = heap_image_create();
	struct kma_cache *cache = heap_image_cache(image, "kmem_alloc_32", 32);
	struct kma_slab *slab =
		heap_image_slab(image, cache, 3, 1, KMA_TIER_AUDIT);
	struct kma_bufctl *bufctls = heap_image_at(image, slab->bufctls);
	const struct heap_cache *caches;
	struct heap_buffer buffer;

	heap_image_take(image, slab, 4, 20, 0);
	bufctls[4].word += KMA_BUFFER_CHANGING - KMA_BUFFER_ALLOCATED;
	struct opened opened = open_image(image);
	assert_true(heap_buffer_get(opened.heap, 0, 4, &buffer));
	assert_int_equal(buffer.state, BUFFER_CHANGING);
	assert_true(heap_buffer_live(&buffer));
	heap_caches(opened.heap, &caches);
	assert_int_equal(caches->buf_in_use, 1);
	close_all(&opened);
}

static void words_of_tier_lite_tell_state_and_size(void **state)
{
	(void)state;
	struct heap_image *image = heap_image_create();
	struct kma_cache *cache = heap_image_cache(image, "kmem_alloc_64", 64);
	struct kma_slab *slab =
		heap_image_slab(image, cache, 0, 1, KMA_TIER_LITE);
	uint64_t *words = heap_image_alloc(image, slab->buffers * 8);
	uint64_t bits[1], start = heap_image_buffer(slab, 0);
	struct heap_buffer buffer;

	words[0] = KMA_BUFFER_ALLOCATED | UINT64_C(33) << KMA_BUFCTL_SIZE_SHIFT;
	words[1] = KMA_BUFFER_FREE | UINT64_C(60) << KMA_BUFCTL_SIZE_SHIFT;
	slab->words = IMAGE_POINTER(image, words);
	struct opened opened = open_image(image);

	assert_true(heap_buffer_at(opened.heap, start + 63, &buffer));
	assert_int_equal(buffer.state, BUFFER_ALLOCATED);
	assert_int_equal(buffer.size, 33);
	assert_int_equal(buffer.bufctl, 0);
	assert_true(heap_buffer_at(opened.heap, start + 64, &buffer));
	assert_int_equal(buffer.state, BUFFER_FREE);
	assert_true(heap_buffer_at(opened.heap, start + 128, &buffer));
	assert_int_equal(buffer.state, BUFFER_NEVER);
	heap_slab_live(opened.heap, 0, bits);
	assert_int_equal(bits[0], 1);
	close_all(&opened);
}

static void stacks_lie_in_the_depot(void **state)
{
	(void)state;
	struct heap_image *image = heap_image_create();
	const uint64_t pcs[] = { IMAGE_TEXT + 0x20, 0x401000, 0x402000 };
	uint32_t id = heap_image_stack(image, pcs, 3);
	uint32_t last = heap_image_stack(image, pcs, 1);
	const uint64_t *found;
	struct opened opened = open_image(image);

	assert_int_equal(heap_stack(opened.heap, 0, id, &found, NULL), 3);
	assert_memory_equal(found, pcs, sizeof(pcs));
	assert_int_equal(heap_stack(opened.heap, 0, last, &found, NULL), 1);
	assert_int_equal(heap_stack(opened.heap, 0, 0, &found, NULL), 0);
	assert_int_equal(heap_stack(opened.heap, 0, last + 1, &found, NULL), 0);
	assert_int_equal(heap_stack(opened.heap, 0, UINT32_MAX, &found, NULL),
			 0);
	close_all(&opened);
}

/* Two chunks, filled in turn; one record that was never finished. */
static void log_comes_newest_first(void **state)
{
	(void)state;
	struct heap_image *image = heap_image_create();
	enum { CHUNK = 4096, CHUNKS = 3 };
	struct kma_log *log = heap_image_alloc(image, sizeof(*log));
	char *base = heap_image_alloc(image, CHUNK * CHUNKS);
	const uint64_t times[2][3] = { { 10, 30, 50 }, { 20, 40, 60 } };

	heap_image_cache(image, "kmem_alloc_64", 64);
	log->kind = KMA_LOG_TRANSACTION;
	log->chunk_size = CHUNK;
	log->chunk_count = CHUNKS;
	log->base = IMAGE_POINTER(image, base);
	image->root->logs = IMAGE_POINTER(image, log);
	for (size_t c = 0; c < 2; c++) {
		struct kma_log_chunk *chunk = (void *)(base + c * CHUNK);
		struct kma_log_record *records = (void *)(chunk + 1);

		chunk->sequence = c + 1;
		chunk->used = 3 * sizeof(*records);
		for (size_t i = 0; i < 3; i++)
			records[i] = (struct kma_log_record){
				.time = times[c][i],
				.size = 7,
				.operation = KMA_OP_FREE,
				.valid = times[c][i] != 60,
			};
	}
	struct opened opened = open_image(image);
	struct heap_log_walk *walk;
	struct heap_log_record record;
	assert_ok(heap_log_open(opened.heap, LOG_TRANSACTIONS, &walk));
	for (uint64_t time = 50; time > 0; time -= 10) {
		assert_true(heap_log_next(walk, &record));
		assert_int_equal(record.time, time);
		assert_int_equal(record.operation, OPERATION_FREE);
		assert_string_equal(record.cache->name, "kmem_alloc_64");
	}
	assert_false(heap_log_next(walk, &record));
	heap_log_close(walk);
	close_all(&opened);
}

static void errors_and_messages_are_kept(void **state)
{
	(void)state;
	struct heap_image *image = heap_image_create();
	struct kma_errors *errors = &image->root->errors;
	const char *line = "kma: DUPFREE: freed twice\n";
	const struct heap_error *found;

	errors->count = 40;
	errors->record_count = 1;
	errors->record[0] = (struct kma_error){
		.name = "DUPFREE",
		.time = 3000,
		.offset = -8,
		.alloc_stack = 5,
		.message = "DUPFREE: freed twice",
	};
	/* A ring that is full: the first line in it has lost its head. */
	for (size_t i = 0; i < 3 * KMA_MESSAGE_RING; i++)
		errors->ring[errors->ring_position++ % KMA_MESSAGE_RING] =
			line[i % strlen(line)];
	struct opened opened = open_image(image);
	assert_int_equal(heap_error_count(opened.heap), 40);
	assert_int_equal(heap_errors(opened.heap, &found), 1);
	assert_string_equal(found->name, "DUPFREE");
	assert_string_equal(found->message, "DUPFREE: freed twice");
	assert_int_equal(found->offset, -8);
	assert_int_equal(found->time_ns, 1500);
	assert_int_equal(found->alloc_stack, 5);
	const char *text = heap_messages(opened.heap, 0);
	assert_int_equal(strncmp(text, line, strlen(line)), 0);
	assert_true(strlen(text) <= KMA_MESSAGE_RING);
	assert_true(strlen(text) > KMA_MESSAGE_RING - 2 * strlen(line));
	close_all(&opened);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_tells_of_the_instance),
		cmocka_unit_test(no_root_means_no_libkma),
		cmocka_unit_test(ticks_become_nanoseconds),
		cmocka_unit_test(counts_tell_live_from_free),
		cmocka_unit_test(every_address_finds_its_buffer),
		cmocka_unit_test(bufctl_leads_back_to_its_buffer),
		cmocka_unit_test(buffer_that_changes_is_live),
		cmocka_unit_test(words_of_tier_lite_tell_state_and_size),
		cmocka_unit_test(stacks_lie_in_the_depot),
		cmocka_unit_test(log_comes_newest_first),
		cmocka_unit_test(errors_and_messages_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
