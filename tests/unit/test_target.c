/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/target.h"

#include "tests/test_util.h"
#include "tests/unit/fake_target.h"

#include <string.h>

enum { PAGE = 4096 };

static struct target *three_extents(void)
{
	struct fake_target *fake = fake_target_create();

	fake_target_memory(fake, 0x2000, "ghij", 4);
	fake_target_memory(fake, 0x1ffa, "abcdef", 6);
	fake_target_memory(fake, 0x3000, "k", 1);
	return fake_target_finish(fake);
}

static void a_read_crosses_extents_that_touch(void **state)
{
	(void)state;
	struct target *target = three_extents();
	char buffer[11] = "";

	assert_ok(target_read(target, 0x1ffa, buffer, 10));
	assert_string_equal(buffer, "abcdefghij");
	target_close(target);
}

static void a_read_names_the_first_missing_address(void **state)
{
	(void)state;
	struct target *target = three_extents();
	char buffer[32] = "";

	assert_err(target_read(target, 0x1ffa, buffer, 11), ERR_NOT_FOUND,
		   "0x2004: not in the dump, not mapped");
	assert_int_equal(target_read_some(target, 0x1ffa, buffer, 32), 10);
	assert_int_equal(target_read_some(target, 0x5000, buffer, 32), 0);
	target_close(target);
}

static void a_read_at_the_end_of_memory_does_not_wrap(void **state)
{
	(void)state;
	struct fake_target *fake = fake_target_create();
	char buffer[8];

	fake_target_memory(fake, UINT64_MAX - 4, "abcd", 4);
	fake_target_memory(fake, 0x1000, "x", 1);
	struct target *target = fake_target_finish(fake);
	assert_int_equal(target_read_some(target, UINT64_MAX - 4, buffer, 8),
			 4);
	target_close(target);
}

static void damage_costs_no_more_than_its_page(void **state)
{
	(void)state;
	static unsigned char bytes[20 * PAGE], buffer[20 * PAGE];
	struct fake_target *fake = fake_target_create();

	memset(bytes, 7, sizeof(bytes));
	fake_target_memory(fake, 0x10000, bytes, sizeof(bytes));
	fake_target_damage(fake, 0x10000 + 18 * PAGE + 5);
	struct target *target = fake_target_finish(fake);
	assert_int_equal(
		target_read_some(target, 0x10001, buffer, sizeof(buffer) - 1),
		18 * PAGE - 1);
	assert_memory_equal(buffer, bytes, 18 * PAGE - 1);
	assert_err(target_read(target, 0x10001, buffer, sizeof(buffer) - 1),
		   ERR_CORRUPT, "fake: block at 0x22000 is damaged");
	target_close(target);
}

static void a_view_must_lie_in_one_extent(void **state)
{
	(void)state;
	struct target *target = three_extents();
	const void *bytes;

	assert_ok(target_view(target, 0x2001, 3, &bytes));
	assert_memory_equal(bytes, "hij", 3);
	assert_err(target_view(target, 0x1ffa, 7, &bytes), ERR_NOT_FOUND,
		   "0x2000: not in the dump");
	target_close(target);
}

static void integers_are_little_endian(void **state)
{
	(void)state;
	struct target *target = three_extents();
	uint64_t value = 0;

	assert_ok(target_read_uint(target, 0x1ffa, 2, &value));
	assert_int_equal(value, 0x6261);
	assert_ok(target_read_uint(target, 0x3000, 1, &value));
	assert_int_equal(value, 'k');
	assert_err(target_read_uint(target, 0x3000, 3, &value), ERR_USAGE,
		   "no integer has 3 bytes");
	target_close(target);
}

static void text_ends_at_its_nul_or_fails(void **state)
{
	(void)state;
	struct fake_target *fake = fake_target_create();
	char buffer[16];

	fake_target_memory(fake, 0x1ffe, "hi there", 9);
	struct target *target = fake_target_finish(fake);
	assert_ok(target_read_text(target, 0x1ffe, buffer, sizeof(buffer)));
	assert_string_equal(buffer, "hi there");
	assert_err(target_read_text(target, 0x1ffe, buffer, 5), ERR_CORRUPT,
		   "0x1ffe: no end of text within 4 bytes");
	assert_err(target_read_text(target, 0x2010, buffer, 5), ERR_NOT_FOUND,
		   "0x2010: not in the dump, not mapped");
	target_close(target);
}

static void lookups_stand_overlap_and_disorder(void **state)
{
	(void)state;
	struct fake_target *fake = fake_target_create();

	fake_target_module(fake, 0x9000, 0xa000, "/b", NULL, 0);
	fake_target_module(fake, 0x5000, 0x6000, "/a", NULL, 0);
	fake_target_module(fake, 0x5800, 0x9001, "/over", NULL, 0);
	fake_target_module(fake, 0x5800, 0x5000, "/upside-down", NULL, 0);
	fake_target_thread(fake, 7, "seven", NULL);
	fake_target_thread(fake, 3, "three", NULL);
	fake_target_thread(fake, 7, "again", NULL);
	fake_target_map(fake, 0x1000, 0x2000, DUMP_MAP_READ, "/m");
	struct target *target = fake_target_finish(fake);

	assert_string_equal(target_module_at(target, 0x5fff)->path, "/a");
	assert_string_equal(target_module_at(target, 0x9000)->path, "/b");
	assert_null(target_module_at(target, 0x7000));
	assert_string_equal(target_thread(target, 7)->name, "seven");
	assert_null(target_thread(target, 4));
	assert_string_equal(target_map_at(target, 0x1fff)->path, "/m");
	assert_null(target_map_at(target, 0x2000));
	assert_int_equal(target->warning_count, 2);
	assert_string_equal(target->warnings[0],
			    "fake: 1 modules overlap others and are ignored");
	target_close(target);
}

static void warnings_are_told_once(void **state)
{
	(void)state;
	struct target *target = three_extents();

	target_warn(target, "%s %d", "lost", 1);
	target_warn(target, "%s %d", "lost", 2);
	target_warn(target, "%s %d", "lost", 1);
	assert_int_equal(target->warning_count, 2);
	target_close(target);
}

static void the_auxiliary_vector_answers_by_tag(void **state)
{
	(void)state;
	struct fake_target *fake = fake_target_create();
	uint64_t value = 0;

	fake_target_auxv(fake, 33, 0x7000);
	fake_target_auxv(fake, 9, 0x400);
	struct target *target = fake_target_finish(fake);
	assert_true(target_auxv(target, 9, &value));
	assert_int_equal(value, 0x400);
	assert_false(target_auxv(target, 0x400, &value));
	target_close(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_crosses_extents_that_touch),
		cmocka_unit_test(a_read_names_the_first_missing_address),
		cmocka_unit_test(a_read_at_the_end_of_memory_does_not_wrap),
		cmocka_unit_test(damage_costs_no_more_than_its_page),
		cmocka_unit_test(a_view_must_lie_in_one_extent),
		cmocka_unit_test(integers_are_little_endian),
		cmocka_unit_test(text_ends_at_its_nul_or_fails),
		cmocka_unit_test(lookups_stand_overlap_and_disorder),
		cmocka_unit_test(warnings_are_told_once),
		cmocka_unit_test(the_auxiliary_vector_answers_by_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
