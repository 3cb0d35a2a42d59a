/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dumpfmt/cursor.h"
#include "tests/test_util.h"

#include <stdbool.h>

static const unsigned char bytes[] = { 1, 0, 0, 0, 2, 0, 0, 0, 9, 9 };

static void first_failure_sticks(void **state)
{
	(void)state;
	struct cursor c;

	cursor_init(&c, bytes, sizeof(bytes), "header");
	assert_int_equal(cursor_u32(&c, "version"), 1);
	assert_int_equal(cursor_u64(&c, "start"), 0); /* six bytes left */
	assert_int_equal(cursor_u32(&c, "flags"), 0); /* would fit: not read */
	assert_err(cursor_error(&c), ERR_CORRUPT,
		   "header: start at byte 4 runs past the end");
}

static void count_is_bounded_by_what_is_left(void **state)
{
	(void)state;
	const struct {
		size_t element_size;
		uint32_t count;
	} cases[] = {
		{ 1, 1 },
		{ 6, 1 },
		{ 7, 0 },
		{ SIZE_MAX, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cursor c;

		cursor_init(&c, bytes, sizeof(bytes), "table");
		assert_int_equal(
			cursor_count(&c, cases[i].element_size, "rows"),
			cases[i].count);
	}
}

static void slice_must_lie_inside(void **state)
{
	(void)state;
	const struct {
		uint64_t offset, size;
		bool ok;
	} cases[] = {
		{ 0, 10, true },          { 10, 0, true },
		{ 4, 7, false },          { 11, 0, false },
		{ 8, UINT64_MAX, false }, { UINT64_MAX, 2, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cursor file, part;

		cursor_init(&file, bytes, sizeof(bytes), "file");
		part = cursor_slice(&file, cases[i].offset, cases[i].size,
				    "schema");
		struct err *err = cursor_error(&part);
		assert_int_equal(err == NULL, cases[i].ok);
		err_free(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_failure_sticks),
		cmocka_unit_test(count_is_bounded_by_what_is_left),
		cmocka_unit_test(slice_must_lie_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
