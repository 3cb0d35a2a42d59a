/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slabs on pages that clients brought: found by their table, in the heap part
 * and outside of it, and refused where table and header disagree. */
#include "alloc/foreign.h"
#include "kdbg/heap.h"
#include "tests/test_util.h"
#include "tests/unit/heap_image.h"

#include <inttypes.h>
#include <string.h>

#define OUTSIDE UINT64_C(0x7e0000001000)

enum { SIZE = 64, PAGES = 4, BUFFERS = PAGES * 4096 / SIZE };

struct sample {
	struct heap_image *image;
	struct kma_cache *cache;
	struct kma_slab *slab;
	struct kma_foreign_table *tables[KMA_FOREIGN_LEVELS];
};

static struct kma_foreign_table *make_table(struct heap_image *image)
{
	return heap_image_alloc(image, sizeof(struct kma_foreign_table));
}

static size_t slot_of(uint64_t address, unsigned level)
{
	unsigned shift =
		12 + KMA_FOREIGN_BITS * (KMA_FOREIGN_LEVELS - 1 - level);

	return address >> shift & ((1 << KMA_FOREIGN_BITS) - 1);
}

static void enter(struct sample *s, uint64_t base, size_t pages,
		  struct kma_slab *slab)
{
	for (unsigned level = 0; level + 1 < KMA_FOREIGN_LEVELS; level++)
		s->tables[level]->slot[slot_of(base, level)] =
			IMAGE_POINTER(s->image, s->tables[level + 1]);
	for (size_t i = 0; i < pages; i++)
		s->tables[KMA_FOREIGN_LEVELS - 1]
			->slot[slot_of(base + i * 4096, 2)] =
			IMAGE_POINTER(s->image, slab);
}

/* A slab of tier off in the table, at base. */
static struct sample make(uint64_t base)
{
	struct sample s = { .image = heap_image_create() };

	for (unsigned i = 0; i < KMA_FOREIGN_LEVELS; i++)
		s.tables[i] = make_table(s.image);
	s.image->root->foreign = IMAGE_POINTER(s.image, s.tables[0]);
	s.cache = heap_image_cache(s.image, "brought", SIZE);
	/* Made in the heap, of which the page map then knows nothing. */
	s.slab = heap_image_slab(s.image, s.cache, 0, PAGES, KMA_TIER_OFF);
	memset(s.image->page_map, 0, PAGES * sizeof(uint64_t));
	s.slab->base = base;
	heap_image_take(s.image, s.slab, 3, SIZE, 0);
	enter(&s, base, PAGES, s.slab);
	return s;
}

struct view {
	struct target *target;
	struct heap *heap;
	const struct heap_slab *slabs;
	size_t count;
};

static struct view look(struct sample *s)
{
	struct view view = { .target = heap_image_finish(s->image) };

	assert_ok(heap_open(view.target, &view.heap));
	view.count = heap_slabs(view.heap, &view.slabs);
	return view;
}

static void end(struct view *view)
{
	heap_close(view->heap);
	target_close(view->target);
}

static void expect_problem(struct view *view, const char *text)
{
	const struct heap_problem *problems;
	size_t count = heap_problems(view->heap, &problems);

	for (size_t i = 0; i < count; i++)
		if (strstr(problems[i].text, text))
			return;
	fail_msg("no problem says: %s", text);
}

static void expect_buffers(struct view *view, uint64_t base)
{
	const struct heap_problem *problems;
	struct heap_buffer buffer;

	assert_int_equal(view->count, 1);
	assert_true(view->slabs[0].foreign);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		assert_true(heap_buffer_at(view->heap, base + i * SIZE + 5,
					   &buffer));
		assert_int_equal(buffer.index, i);
		assert_int_equal(buffer.user, base + i * SIZE);
		assert_int_equal(heap_buffer_live(&buffer), i == 3);
	}
	assert_false(heap_buffer_at(view->heap, base - 1, &buffer));
	assert_false(heap_buffer_at(view->heap, base + PAGES * 4096, &buffer));
	assert_int_equal(heap_cache_named(view->heap, "brought")->buf_total,
			 BUFFERS);
	assert_int_equal(heap_problems(view->heap, &problems), 0);
}

static void slab_outside_of_the_heap_is_found(void **state)
{
	struct sample s = make(OUTSIDE);
	struct view view = look(&s);

	(void)state;
	expect_buffers(&view, OUTSIDE);
	assert_false(view.slabs[0].has_carrier);
	end(&view);
}

static void slab_in_the_heap_is_found(void **state)
{
	struct sample s = make(IMAGE_HEAP + 8 * 4096);
	struct view view = look(&s);

	(void)state;
	expect_buffers(&view, IMAGE_HEAP + 8 * 4096);
	assert_false(view.slabs[0].has_carrier);
	end(&view);
}

/* The buffer whose bytes they are is known, and found by number alone. */
static void slab_in_a_buffer_has_a_carrier(void **state)
{
	const uint64_t base = IMAGE_HEAP + 24 * 4096;
	struct sample s = make(base);
	struct kma_cache *around =
		heap_image_cache(s.image, "around", 8 * 4096);
	struct kma_slab *slab =
		heap_image_slab(s.image, around, 16, 32, KMA_TIER_OFF);
	struct heap_buffer buffer;

	(void)state;
	heap_image_take(s.image, slab, 1, 8 * 4096, 0);

	struct view view = look(&s);

	assert_int_equal(view.count, 2);
	assert_false(view.slabs[0].foreign);
	assert_true(view.slabs[1].foreign && view.slabs[1].has_carrier);
	assert_int_equal(view.slabs[1].carrier_slab, 0);
	assert_int_equal(view.slabs[1].carrier_index, 1);
	assert_true(heap_buffer_at(view.heap, base, &buffer));
	assert_int_equal(buffer.slab, 1);
	assert_true(heap_buffer_at(view.heap, base + PAGES * 4096, &buffer));
	assert_int_equal(buffer.slab, 0);
	assert_true(heap_buffer_get(view.heap, 0, 1, &buffer));
	assert_true(heap_buffer_live(&buffer));
	end(&view);
}

static void ranges_far_apart_are_found(void **state)
{
	enum { SLABS = 3 };
	/* In one table; the second right behind the first, the last far. */
	static const uint64_t bases[SLABS] = { OUTSIDE + 4 * 4096,
					       OUTSIDE + 8 * 4096,
					       OUTSIDE + 2000 * 4096 };
	struct sample s = make(OUTSIDE);
	struct heap_buffer buffer;
	size_t slab;

	(void)state;
	for (size_t i = 0; i < SLABS; i++) {
		struct kma_slab *more = heap_image_slab(s.image, s.cache, 0,
							PAGES, KMA_TIER_OFF);

		memset(s.image->page_map, 0, PAGES * sizeof(uint64_t));
		more->base = bases[i];
		enter(&s, bases[i], PAGES, more);
	}

	struct view view = look(&s);

	assert_int_equal(view.count, SLABS + 1);
	for (size_t i = 0; i < SLABS; i++) {
		assert_true(heap_buffer_at(view.heap, bases[i], &buffer));
		assert_int_equal(buffer.slab, i + 1);
	}
	assert_false(heap_slab_at(view.heap, OUTSIDE + 1000 * 4096, &slab));
	end(&view);
}

static void headers_that_lie_are_refused(void **state)
{
	static const struct {
		size_t offset, size;
		uint64_t value;
		const char *says;
	} lies[] = {
#define LIE(field, value, says)             \
	{ offsetof(struct kma_slab, field), \
	  sizeof(((struct kma_slab *)0)->field), value, says }
		LIE(base, OUTSIDE + 4096, "does not begin at its first page"),
		LIE(pages, PAGES + 1, "does not have all its pages"),
		LIE(pages, UINT64_MAX, "does not have all its pages"),
		LIE(first, UINT64_MAX, "has more buffers than its pages hold"),
		LIE(stride, 0, "has no buffers"),
		LIE(buffers, UINT32_MAX,
		    "has more buffers than its pages hold"),
		LIE(cache, 8, "is of no known cache"),
#undef LIE
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct sample s = make(OUTSIDE);

		memcpy((char *)s.slab + lies[i].offset, &lies[i].value,
		       lies[i].size);

		struct view view = look(&s);

		assert_int_equal(view.count, 0);
		assert_int_equal(heap_slabs_refused(view.heap), 1);
		expect_problem(&view, lies[i].says);
		end(&view);
	}
}

static void table_that_leads_to_itself_ends(void **state)
{
	struct sample s = make(OUTSIDE);

	(void)state;
	for (size_t i = 0; i < 1 << KMA_FOREIGN_BITS; i++)
		if (!s.tables[0]->slot[i])
			s.tables[0]->slot[i] =
				IMAGE_POINTER(s.image, s.tables[0]);

	struct view view = look(&s);

	assert_int_equal(view.count, 1);
	expect_problem(&view, "not believed");
	end(&view);
}

static void table_that_is_not_there_is_told(void **state)
{
	struct sample s = make(OUTSIDE);

	(void)state;
	s.image->root->foreign = (void *)(uintptr_t)0xdead0000;

	struct view view = look(&s);

	assert_int_equal(view.count, 0);
	expect_problem(&view, "table of brought pages");
	end(&view);
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1;
	return *state >> 33;
}

/* Whatever a bit of all that reads, what is found is what is looked up. */
static void any_bit_may_lie(void **state)
{
	enum { ROUNDS = 3000 };
	uint64_t random = 1;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct sample s =
			make(round % 2 ? OUTSIDE : IMAGE_HEAP + 8 * 4096);
		/* Of the tables just what is used, or it is never met. */
		unsigned char *places[] = {
			(unsigned char *)s.image->root,
			(unsigned char *)s.slab,
			(unsigned char *)s.cache,
			(unsigned char *)&s.tables[0]
				->slot[slot_of(s.slab->base, 0)],
			(unsigned char *)&s.tables[1]
				->slot[slot_of(s.slab->base, 1)],
			(unsigned char *)&s.tables[2]
				->slot[slot_of(s.slab->base, 2)],
		};
		const size_t sizes[] = { sizeof(struct kma_root),
					 sizeof(struct kma_slab),
					 sizeof(struct kma_cache),
					 8,
					 8,
					 8 * PAGES };
		size_t which = next_random(&random) % 6;

		places[which][next_random(&random) % sizes[which]] ^=
			(unsigned char)(1 << next_random(&random) % 8);

		struct target *target = heap_image_finish(s.image);
		struct heap *heap;
		struct err *err = heap_open(target, &heap);
		const struct heap_slab *slabs;
		struct heap_buffer buffer;

		if (!err) {
			size_t count = heap_slabs(heap, &slabs);

			for (size_t i = 0; i < count; i++)
				if (heap_buffer_get(heap, i, 0, &buffer) &&
				    heap_buffer_at(heap, buffer.start, &buffer))
					assert_int_equal(buffer.slab, i);
			heap_close(heap);
		}
		err_free(err);
		target_close(target);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slab_outside_of_the_heap_is_found),
		cmocka_unit_test(slab_in_the_heap_is_found),
		cmocka_unit_test(slab_in_a_buffer_has_a_carrier),
		cmocka_unit_test(ranges_far_apart_are_found),
		cmocka_unit_test(headers_that_lie_are_refused),
		cmocka_unit_test(table_that_leads_to_itself_ends),
		cmocka_unit_test(table_that_is_not_there_is_told),
		cmocka_unit_test(any_bit_may_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
