/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/range_index.h"

#include "tests/test_util.h"

static void finds_the_range_that_holds_an_address(void **state)
{
	(void)state;
	struct range_index index = { 0 };

	range_index_add(&index, 30, 40, 0);
	range_index_add(&index, 10, 20, 1);
	range_index_add(&index, 20, 21, 2);
	assert_int_equal(range_index_finish(&index), 0);
	assert_int_equal(range_index_find(&index, 9), -1);
	assert_int_equal(range_index_find(&index, 10), 1);
	assert_int_equal(range_index_find(&index, 19), 1);
	assert_int_equal(range_index_find(&index, 20), 2);
	assert_int_equal(range_index_find(&index, 21), -1);
	assert_int_equal(range_index_find(&index, 39), 0);
	assert_int_equal(range_index_find(&index, 40), -1);
	assert_int_equal(range_index_find(&index, UINT64_MAX), -1);
	range_index_deinit(&index);
}

static void the_first_added_of_overlapping_ranges_stays(void **state)
{
	(void)state;
	struct range_index index = { 0 };

	range_index_add(&index, 100, 200, 0);
	range_index_add(&index, 50, 101, 1);
	range_index_add(&index, 150, 160, 2);
	range_index_add(&index, 199, 300, 3);
	range_index_add(&index, 400, 400, 4);
	assert_int_equal(range_index_finish(&index), 3);
	assert_int_equal(range_index_find(&index, 60), -1);
	assert_int_equal(range_index_find(&index, 155), 0);
	assert_int_equal(range_index_find(&index, 250), -1);
	assert_int_equal(range_index_find(&index, 400), -1);
	range_index_deinit(&index);
}

static void an_empty_index_finds_nothing(void **state)
{
	(void)state;
	struct range_index index = { 0 };

	assert_int_equal(range_index_finish(&index), 0);
	assert_int_equal(range_index_find(&index, 0), -1);
	range_index_deinit(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_range_that_holds_an_address),
		cmocka_unit_test(the_first_added_of_overlapping_ranges_stays),
		cmocka_unit_test(an_empty_index_finds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
