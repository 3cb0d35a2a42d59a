/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/test_util.h"

#include "kdbg/check_merge.h"

#include <stdbool.h>

static const struct check_frame first[] = { { "malloc", "malloc.c", 30 },
					    { "make", "a.c", 7 } };
static const struct check_frame same[] = { { "malloc", "malloc.c", 30 },
					   { "make", "a.c", 7 } };
static const struct check_frame line[] = { { "malloc", "malloc.c", 30 },
					   { "make", "a.c", 8 } };
static const struct check_frame bare[] = { { "malloc", "malloc.c", 30 },
					   { "make", NULL, 7 } };

static struct check_leak make(const struct check_frame *frames, size_t count,
			      const char *class, uint64_t leaked)
{
	return (struct check_leak){
		.class = class,
		.cache = "kmem_alloc_32",
		.leaked = leaked,
		.bytes = leaked * 10,
		.retained = leaked * 100,
		.stack = { frames, count },
	};
}

static void stacks_that_read_the_same_are_one(void **state)
{
	(void)state;
	struct check_leak leaks[] = {
		make(first, 2, "definite", 1), make(line, 2, "definite", 2),
		make(same, 2, "definite", 4),  make(same, 2, "indirect", 8),
		make(same, 1, "definite", 16), make(bare, 2, "definite", 32),
		make(bare, 2, "definite", 64),
	};

	assert_int_equal(check_merge(leaks, 7), 5);
	const uint64_t leaked[] = { 5, 2, 8, 16, 96 };
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(leaks[i].leaked, leaked[i]);
		assert_int_equal(leaks[i].bytes, leaked[i] * 10);
		assert_int_equal(leaks[i].retained, leaked[i] * 100);
	}
}

static void one_place_is_one_whatever_the_caches(void **state)
{
	(void)state;
	struct check_leak leaks[] = {
		make(first, 2, "definite", 1), make(same, 2, "definite", 2),
		make(line, 2, "definite", 4),  make(same, 2, "indirect", 8),
		make(same, 2, "definite", 16), make(NULL, 0, "definite", 3),
		make(NULL, 0, "definite", 5),
	};
	const char *const caches[] = { "a", "b", "a", "c", "c", "a", "b" };
	struct check_process process = { .leaks = leaks, .leak_count = 7 };
	struct arena arena = { 0 };

	for (size_t i = 0; i < 7; i++)
		leaks[i].cache = caches[i];
	assert_true(check_merge_caches(&arena, &process));
	assert_int_equal(process.leak_count, 5);
	/* By weight, "definite" first. */
	const uint64_t leaked[] = { 19, 5, 4, 3, 8 };
	const uint64_t more[] = { 2, 0, 0, 0, 0 };
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(process.leaks[i].leaked, leaked[i]);
		assert_int_equal(process.leaks[i].bytes, leaked[i] * 10);
		assert_int_equal(process.leaks[i].more_caches, more[i]);
	}
	assert_string_equal(process.leaks[0].cache, "a");
	assert_string_equal(process.leaks[4].class, "indirect");
	assert_int_equal(leaks[0].leaked, 1); /* what was given is kept */
	arena_deinit(&arena);
}

static void nothing_merges_to_nothing(void **state)
{
	(void)state;
	assert_int_equal(check_merge(NULL, 0), 0);
}

/* Without a stack there is only class and cache to go by. */
static void leaks_without_a_stack_are_one_for_each_cache(void **state)
{
	(void)state;
	struct check_leak leaks[] = { make(NULL, 0, "definite", 1),
				      make(NULL, 0, "definite", 1) };

	assert_int_equal(check_merge(leaks, 2), 1);
	assert_int_equal(leaks[0].leaked, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_that_read_the_same_are_one),
		cmocka_unit_test(one_place_is_one_whatever_the_caches),
		cmocka_unit_test(nothing_merges_to_nothing),
		cmocka_unit_test(leaks_without_a_stack_are_one_for_each_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
