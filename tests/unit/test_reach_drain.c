/* SPDX-License-Identifier: GPL-3.0-or-later */
/* That nothing is left in a queue, or between two words looked at together. */
#include "tests/test_util.h"
#include "tests/unit/fake_world.h"

#include <string.h>

enum {
	HEAP_PAGES = 8192,
	LARGE_PAGE = 8, /* where the large buffer starts */
	LARGE = (HEAP_PAGES - LARGE_PAGE) * FAKE_PAGE,
};

static void root_word(struct world *w, size_t i, uint64_t word)
{
	memcpy(w->data + i * 8, &word, 8);
}

/* However few or many a buffer leads to, and they to one each. */
static void all_that_a_buffer_leads_to_is_followed(void **state)
{
	(void)state;
	for (uint32_t count = 1; count <= 64; count++) {
		struct world w;
		uint64_t first, next[64], last[64];

		world_setup(&w);
		first = fake_heap_alloc(
			w.heap,
			fake_heap_slab(w.heap,
				       &(struct fake_slab){ .page = 8,
							    .pages = 1,
							    .stride = 4096,
							    .buffers = 1 }),
			0, 0);
		for (uint32_t i = 0; i < count; i++) {
			next[i] = fake_heap_alloc(w.heap, w.plain, i, 64);
			last[i] = fake_heap_alloc(w.heap, w.audited, i, 64);
			fake_heap_word(w.heap, first + 8 * i, next[i]);
			fake_heap_word(w.heap, next[i] + 56, last[i]);
		}
		root_word(&w, 0, first);
		world_mark(&w);
		assert_int_equal(reach_totals(w.reach)->plain, 2 * count + 1);
		assert_int_equal(reach_totals(w.reach)->references,
				 2 * count + 1);
		world_teardown(&w);
	}
}

/* More than are looked up together, most of them met before. */
static void a_buffer_full_of_pointers_is_followed(void **state)
{
	struct world w;
	uint64_t first, next[64];

	(void)state;
	world_setup(&w);
	first = fake_heap_alloc(
		w.heap,
		fake_heap_slab(w.heap, &(struct fake_slab){ .page = 8,
							    .pages = 1,
							    .stride = 4096,
							    .buffers = 1 }),
		0, 0);
	for (uint32_t i = 0; i < 64; i++) {
		next[i] = fake_heap_alloc(w.heap, w.plain, i, 64);
		fake_heap_word(w.heap, next[i],
			       fake_heap_alloc(w.heap, w.audited, i, 64));
	}
	for (uint32_t i = 0; i < 512; i++)
		fake_heap_word(w.heap, first + 8 * i, next[i * i % 64]);
	for (uint32_t i = 0; i < 64; i++)
		fake_heap_word(w.heap, first + 8 * (300 + i), next[i]);
	root_word(&w, 0, first);
	world_mark(&w);
	assert_int_equal(reach_totals(w.reach)->plain, 129);
	assert_int_equal(reach_totals(w.reach)->references, 1 + 512 + 64);
	world_teardown(&w);
}

/* And the word behind it is not. */
static void check_last_words(struct world *w, size_t slab, uint64_t stride)
{
	uint32_t count = (uint32_t)(stride / 8);

	for (uint32_t i = 0; i < count; i++) {
		uint64_t size = 8 * (i + 1);
		uint64_t holder = fake_heap_alloc(w->heap, slab, i, size);
		uint64_t held = fake_heap_alloc(w->heap, w->plain, i, 64);

		fake_heap_word(w->heap, holder + size - 8, held);
		root_word(w, i, holder);
		if (size == stride)
			continue;
		fake_heap_word(
			w->heap, holder + size,
			fake_heap_alloc(w->heap, w->plain, i + count, 64));
	}
	world_mark(w);
	assert_int_equal(reach_totals(w->reach)->plain, 2 * count);
	assert_int_equal(reach_totals(w->reach)->leaked, count - 1);
}

static void the_last_word_of_any_size_is_looked_at(void **state)
{
	const struct fake_slab wide = { .page = 8,
					.pages = 2,
					.stride = 256,
					.buffers = 32,
					.audited = true };
	struct world w;

	(void)state;
	world_setup(&w);
	check_last_words(&w, w.audited, 64);
	world_teardown(&w);
	world_setup(&w);
	check_last_words(&w, fake_heap_slab(w.heap, &wide), 256);
	world_teardown(&w);
}

/* An aligned buffer starts where the program has it, and not where its slab
 * does. */
static void what_lies_before_a_buffer_is_not_it(void **state)
{
	struct world w;
	uint64_t before, behind, held;

	(void)state;
	world_setup(&w);
	before = fake_heap_alloc_at(w.heap, w.audited, 0, 16, 32);
	behind = fake_heap_alloc_at(w.heap, w.audited, 1, 16, 32);
	held = fake_heap_alloc(w.heap, w.plain, 0, 64);
	fake_heap_word(w.heap, behind + 24, held);
	fake_heap_word(w.heap, behind + 32,
		       fake_heap_alloc(w.heap, w.plain, 1, 64));
	root_word(&w, 0, before - 16);
	root_word(&w, 1, behind);
	world_mark(&w);
	assert_int_equal(world_class(&w, before), REACH_LEAKED);
	assert_int_equal(world_class(&w, behind), REACH_PLAIN);
	assert_int_equal(world_class(&w, held), REACH_PLAIN);
	assert_int_equal(reach_totals(w.reach)->leaked, 2);
	world_teardown(&w);
}

static void a_large_buffer_is_scanned_in_parts(void **state)
{
	const uint64_t offsets[] = { 0, (8 << 20) - 8, 8 << 20, 16 << 20,
				     LARGE - 8 };
	struct world w;
	uint64_t large, held[5];

	(void)state;
	world_setup_pages(&w, HEAP_PAGES);
	large = fake_heap_alloc(
		w.heap,
		fake_heap_slab(
			w.heap,
			&(struct fake_slab){ .page = LARGE_PAGE,
					     .pages = HEAP_PAGES - LARGE_PAGE,
					     .stride = LARGE,
					     .buffers = 1 }),
		0, 0);
	for (uint32_t i = 0; i < 5; i++) {
		held[i] = fake_heap_alloc(w.heap, w.plain, i, 64);
		fake_heap_word(w.heap, large + offsets[i], held[i]);
	}
	root_word(&w, 0, large);
	world_mark(&w);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(world_class(&w, held[i]), REACH_PLAIN);
	assert_int_equal(reach_totals(w.reach)->leaked, 0);
	world_teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_a_buffer_leads_to_is_followed),
		cmocka_unit_test(a_buffer_full_of_pointers_is_followed),
		cmocka_unit_test(the_last_word_of_any_size_is_looked_at),
		cmocka_unit_test(what_lies_before_a_buffer_is_not_it),
		cmocka_unit_test(a_large_buffer_is_scanned_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
