/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The heap view on heaps that lie: each damage is told, the rest still shown;
 * and no change of any byte makes it crash or hang. */
#include "kdbg/heap.h"
#include "tests/test_util.h"
#include "tests/unit/heap_sample.h"

#include <stdlib.h>
#include <string.h>

/* Ask for everything there is. */
static void visit_all(struct heap *heap)
{
	const struct heap_cache *caches;
	const struct heap_slab *slabs;
	const struct heap_thread *threads;
	const struct heap_module *modules;
	const struct heap_error *errors;
	struct heap_log_walk *walk;
	struct heap_log_record record;
	const uint64_t *pcs;

	heap_caches(heap, &caches);
	size_t count = heap_slabs(heap, &slabs);
	for (size_t i = 0; i < count; i++)
		for (uint32_t j = 0; j < slabs[i].buffers && j < 1000; j++) {
			struct heap_buffer buffer, again;

			assert_true(heap_buffer_get(heap, i, j, &buffer));
			assert_true(heap_buffer_at(heap, buffer.start, &again));
			assert_int_equal(again.slab, i);
			assert_int_equal(again.index, j);
			heap_stack(heap, buffer.alloc.instance,
				   buffer.alloc.stack, &pcs, NULL);
			heap_buffer_of_bufctl(heap, buffer.bufctl, &again);
		}
	heap_threads(heap, &threads);
	heap_modules(heap, &modules);
	heap_errors(heap, &errors);
	heap_messages(heap, 0);
	assert_ok(heap_log_open(heap, LOG_TRANSACTIONS, &walk));
	while (heap_log_next(walk, &record))
		;
	heap_log_close(walk);
}

/* The sample is opened, all of it is read, and a problem says text. How many
 * live buffers kmem_alloc_64 still shows: of 6, 2 in the slab of tier off. */
static void expect(struct heap_sample *s, const char *text, uint64_t live)
{
	struct target *target = heap_image_finish(s->image);
	const struct heap_problem *problems;
	const struct heap_cache *cache;
	struct heap *heap;
	bool found = false;

	assert_ok(heap_open(target, &heap));
	visit_all(heap);
	for (size_t i = 0; i < heap_problems(heap, &problems); i++)
		found = found || strstr(problems[i].text, text);
	if (!found)
		fail_msg("no problem says: %s", text);
	cache = heap_cache_named(heap, "kmem_alloc_64");
	assert_int_equal(cache ? cache->buf_in_use : 0, live);
	heap_close(heap);
	target_close(target);
}

static void whole_sample_has_no_problem(void **state)
{
	(void)state;
	struct heap_sample s = heap_sample_make();
	struct target *target = heap_image_finish(s.image);
	const struct heap_problem *problems;
	struct heap *heap;

	assert_ok(heap_open(target, &heap));
	visit_all(heap);
	assert_int_equal(heap_problems(heap, &problems), 0);
	assert_int_equal(heap_cache_named(heap, "kmem_alloc_64")->buf_in_use,
			 6);
	heap_close(heap);
	target_close(target);
}

static void cache_list_that_loops_ends(void **state)
{
	(void)state;
	struct heap_sample s = heap_sample_make();

	s.cache[1]->next = IMAGE_POINTER(s.image, s.cache[0]);
	expect(&s, "cache list: loops at 0x7f0000", 6);
}

static void caches_off_the_list_are_found_by_their_slabs(void **state)
{
	(void)state;
	struct heap_sample s = heap_sample_make();

	s.image->root->caches = (void *)(uintptr_t)0xdead0000;
	expect(&s, "(kmem_alloc_64) is on no list", 6);
}

static void misaligned_pointer_is_refused(void **state)
{
	(void)state;
	struct heap_sample s = heap_sample_make();

	s.cache[0]->next = (void *)((char *)s.cache[0]->next + 1);
	expect(&s, "is misaligned", 6);
}

static void slabs_that_lie_are_refused(void **state)
{
	(void)state;
	const struct {
		size_t offset, size;
		uint64_t value;
		const char *says;
	} lies[] = {
#define LIE(field, value, says)             \
	{ offsetof(struct kma_slab, field), \
	  sizeof(((struct kma_slab *)0)->field), value, says }
		LIE(base, IMAGE_HEAP + 4096,
		    "does not begin at its first page"),
		LIE(base, 0, "does not begin at its first page"),
		LIE(pages, 0, "has more pages than there are"),
		LIE(pages, UINT64_MAX, "has more pages than there are"),
		LIE(pages, 2, "does not have all its pages in the page map"),
		LIE(first, UINT64_MAX, "has more buffers than its pages hold"),
		LIE(first, 16, "has more buffers than its pages hold"),
		LIE(stride, 0, "has no buffers"),
		LIE(stride, UINT64_MAX, "has more buffers than its pages hold"),
		LIE(buffers, 0, "has no buffers"),
		LIE(buffers, UINT32_MAX,
		    "has more buffers than its pages hold"),
		LIE(cache, 8, "is of no known cache"),
		LIE(cache, UINT64_MAX, "is of no known cache"),
#undef LIE
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct heap_sample s = heap_sample_make();

		memcpy((char *)s.off + lies[i].offset, &lies[i].value,
		       lies[i].size);
		expect(&s, lies[i].says, 4); /* those of the other slab */
	}
}

static void page_map_that_leads_nowhere_is_told(void **state)
{
	(void)state;
	struct heap_sample s = heap_sample_make();

	s.image->page_map[0] = kma_pages_word((void *)(uintptr_t)0xdead0000,
					      KMA_PAGE_SLAB, 0, 0);
	expect(&s, "slab 0xdead0000: 0xdead0000", 4);
}

static void unreadable_page_map_is_told(void **state)
{
	(void)state;
	struct heap_sample s = heap_sample_make();

	s.image->root->page_map = (void *)(uintptr_t)0xdead0000;
	expect(&s, "page map: 0xdead0", 0);
}

static void absurd_heap_is_told(void **state)
{
	(void)state;
	const uint64_t ends[] = { 0, IMAGE_HEAP - 1, UINT64_MAX };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct heap_sample s = heap_sample_make();

		s.image->root->heap_committed = ends[i];
		expect(&s, "cannot be", 0);
	}
}

static void magazines_that_lie_are_told(void **state)
{
	(void)state;
	struct heap_sample s = heap_sample_make();

	s.full->rounds = UINT32_MAX;
	expect(&s, "4294967295 rounds", 7);
	s = heap_sample_make();
	s.set->top += 5000;
	expect(&s, "5000 rounds", 6);
	s = heap_sample_make();
	s.set->top -= 1;
	expect(&s, "lies below its rounds", 6);
	s = heap_sample_make();
	s.set->hot = (void *)((char *)s.set->hot + 1);
	expect(&s, "is no buffer", 7);
	s = heap_sample_make();
	s.full->round[0] = (void *)((char *)s.full->round[0] + 1);
	expect(&s, "is no buffer", 7);
	s = heap_sample_make();
	s.full->next = IMAGE_POINTER(s.image, s.full);
	expect(&s, "list of full magazines: loops", 6);
	s = heap_sample_make();
	s.thread->magset_count = UINT32_MAX;
	expect(&s, "4294967295 magazine sets", 7);
	s = heap_sample_make();
	s.thread->next = IMAGE_POINTER(s.image, s.thread);
	expect(&s, "thread list: loops", 6);
}

static void records_out_of_the_target_are_told(void **state)
{
	(void)state;
	struct heap_sample s = heap_sample_make();

	s.audit->bufctls = (void *)(uintptr_t)0xdead0000;
	expect(&s, "which of its buffers are free cannot be told", 104);
	s = heap_sample_make();
	s.chunk->used = UINT32_MAX;
	expect(&s, "4294967295 bytes used of", 6);
	s = heap_sample_make();
	s.log->chunk_count = UINT64_MAX;
	expect(&s, "chunks of 4096 bytes", 6);
	s = heap_sample_make();
	s.image->root->errors.record_count = UINT32_MAX;
	expect(&s, "kma_errors: 4294967295 records", 6);
}

static void roots_that_loop_are_opened_once(void **state)
{
	(void)state;
	struct heap_sample s = heap_sample_make();
	struct kma_root *second =
		heap_image_alloc(s.image, sizeof(*s.image->root));
	const struct heap_instance *instances;
	struct heap *heap;

	*second = *s.image->root;
	second->head.self = heap_image_address(s.image, second);
	second->head.next = s.image->root->head.self;
	s.image->root->head.next = second->head.self;
	struct target *target = heap_image_finish(s.image);
	assert_ok(heap_open(target, &heap));
	assert_int_equal(heap_instances(heap, &instances), 2);
	visit_all(heap); /* one heap over the other: read once */
	heap_close(heap);
	target_close(target);
}

static void heads_that_lie_are_errors(void **state)
{
	(void)state;
	const struct {
		size_t offset, size;
		uint64_t value;
		const char *says;
	} lies[] = {
#define LIE(field, value, says)                  \
	{ offsetof(struct kma_root_head, field), \
	  sizeof(((struct kma_root_head *)0)->field), value, says }
		LIE(self, 8, "says that it lies at 0x8"),
		LIE(root_size, 3, "3 bytes long"),
		LIE(root_size, 100, "the schema says"),
		LIE(schema, 0, "schema at 0"),
		LIE(schema_count, 0, "schema: 0 records"),
		LIE(schema_count, UINT32_MAX, "schema: 4294967295 records"),
		LIE(schema_record_size, 95, "records of 95 bytes"),
		LIE(schema_record_size, UINT32_MAX,
		    "records of 4294967295 bytes"),
#undef LIE
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct heap_sample s = heap_sample_make();
		struct heap *heap;
		char text[512];

		memcpy((char *)&s.image->root->head + lies[i].offset,
		       &lies[i].value, lies[i].size);
		struct target *target = heap_image_finish(s.image);
		struct err *err = heap_open(target, &heap);
		assert_non_null(err);
		err_describe(err, text, sizeof(text));
		if (!strstr(text, lies[i].says))
			fail_msg("%s: %s", lies[i].says, text);
		err_free(err);
		target_close(target);
	}
}

static struct kma_schema_record *record_of(struct heap_image *image,
					   const char *owner, const char *name)
{
	for (uint32_t i = 0; i < image->root->head.schema_count; i++)
		if (strcmp(image->schema[i].owner, owner) == 0 &&
		    strcmp(image->schema[i].name, name) == 0)
			return &image->schema[i];
	fail_msg("no %s.%s", owner, name);
	return NULL;
}

/* Told apart from damage; the rest of the heap is there. */
static void expect_absent(struct heap_sample *s, const char *name)
{
	struct target *target = heap_image_finish(s->image);
	const struct heap_problem *problems;
	const struct heap_cache *cache;
	struct heap *heap;
	const char *first;

	assert_ok(heap_open(target, &heap));
	visit_all(heap);
	assert_true(heap_absent(heap, &first) > 0);
	assert_string_equal(first, name);
	assert_int_equal(heap_problems(heap, &problems), 0);
	cache = heap_cache_named(heap, "kmem_alloc_64");
	assert_non_null(cache);
	assert_int_equal(cache->buf_in_use, 6);
	heap_close(heap);
	target_close(target);
}

static void field_that_is_not_described_is_told(void **state)
{
	(void)state;
	struct heap_sample s = heap_sample_make();

	strcpy(record_of(s.image, "kma_slab", "tier")->name, "colour");
	expect_absent(&s, "kma_slab.tier");
	s = heap_sample_make();
	strcpy(record_of(s.image, "", "KMA_BUFCTL_STATE_SHIFT")->name, "X");
	expect_absent(&s, "kma_bufctl"); /* its word cannot be read */
	s = heap_sample_make();
	strcpy(record_of(s.image, "kma_slab", "stride")->name, "step");
	struct target *target = heap_image_finish(s.image);
	struct heap *heap;
	struct err *err = heap_open(target, &heap);
	char text[512];
	err_describe(err, text, sizeof(text));
	assert_non_null(strstr(text, "does not describe kma_slab.stride"));
	err_free(err);
	target_close(target);
}

static void newer_revision_is_refused(void **state)
{
	(void)state;
	struct heap_sample s = heap_sample_make();
	struct heap *heap;
	char text[512];

	record_of(s.image, "kma_bufctl", "")->revision = 2;
	struct target *target = heap_image_finish(s.image);
	struct err *err = heap_open(target, &heap);
	err_describe(err, text, sizeof(text));
	assert_int_equal(err_code(err), ERR_UNSUPPORTED);
	assert_non_null(
		strstr(text, "kma_bufctl is of revision 2, this kdbg knows 1"));
	err_free(err);
	target_close(target);
}

/* Overwrite the word at offset of the arena, then read everything. */
static void survive(size_t offset, uint64_t value)
{
	struct heap_sample s = heap_sample_make();
	struct heap *heap;

	memcpy(s.image->meta + offset, &value, sizeof(value));
	struct target *target = heap_image_finish(s.image);
	struct err *err = heap_open(target, &heap);
	if (!err) {
		visit_all(heap);
		heap_close(heap);
	}
	err_free(err);
	target_close(target);
}

static void no_word_does_harm(void **state)
{
	(void)state;
	struct heap_sample s = heap_sample_make();
	size_t schema = (size_t)((char *)s.image->schema - s.image->meta);
	size_t after = (size_t)((char *)s.image->depot - s.image->meta);
	size_t used = s.image->used;
	const uint64_t values[] = { 0,          1,
				    UINT64_MAX, 0x7fffffffffffffff,
				    IMAGE_META, IMAGE_HEAP + 8 };

	target_close(heap_image_finish(s.image));
	for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
		for (size_t at = 0; at < 1024; at += 8) /* root */
			survive(at, values[v]);
		for (size_t at = schema + 64; at < schema + 4096; at += 8)
			survive(at, values[v]);
		for (size_t at = after; at < used; at += 8)
			survive(at, values[v]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_sample_has_no_problem),
		cmocka_unit_test(cache_list_that_loops_ends),
		cmocka_unit_test(caches_off_the_list_are_found_by_their_slabs),
		cmocka_unit_test(misaligned_pointer_is_refused),
		cmocka_unit_test(slabs_that_lie_are_refused),
		cmocka_unit_test(page_map_that_leads_nowhere_is_told),
		cmocka_unit_test(unreadable_page_map_is_told),
		cmocka_unit_test(absurd_heap_is_told),
		cmocka_unit_test(magazines_that_lie_are_told),
		cmocka_unit_test(records_out_of_the_target_are_told),
		cmocka_unit_test(roots_that_loop_are_opened_once),
		cmocka_unit_test(heads_that_lie_are_errors),
		cmocka_unit_test(field_that_is_not_described_is_told),
		cmocka_unit_test(newer_revision_is_refused),
		cmocka_unit_test(no_word_does_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
