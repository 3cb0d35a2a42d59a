/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fast search finds what a slow one finds, borders and holes included. */
#include "kdbg/memory_search.h"
#include "tests/test_util.h"
#include "tests/unit/fake_target.h"

#include <string.h>

enum {
	FIRST = 0x100000, /* longer than a chunk */
	CHUNK = 4 << 20,
	FIRST_SIZE = CHUNK + 0x3000,
	SECOND = FIRST + FIRST_SIZE, /* touches it */
	SECOND_SIZE = 0x2000,
	THIRD = 0x800000,
	THIRD_SIZE = 0x3000,
};

struct place {
	struct fake_target *fake;
	struct session session;
	unsigned char *memory[3];
};

static const struct {
	uint64_t start;
	size_t size;
} parts[] = { { FIRST, FIRST_SIZE },
	      { SECOND, SECOND_SIZE },
	      { THIRD, THIRD_SIZE } };

/* Bytes of which every value is common, so that all patterns match somewhere.
 */
static void fill(unsigned char *bytes, size_t size, uint32_t seed)
{
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(seed >> 24 & 3);
	}
}

static int setup(void **state)
{
	static struct place place;
	static unsigned char bytes[FIRST_SIZE];

	place = (struct place){ .fake = fake_target_create() };
	for (size_t i = 0; i < 3; i++) {
		fill(bytes, parts[i].size, (uint32_t)i);
		place.memory[i] = fake_target_memory(place.fake, parts[i].start,
						     bytes, parts[i].size);
	}
	place.session.target = fake_target_finish(place.fake);
	*state = &place;
	return 0;
}

static int teardown(void **state)
{
	struct place *place = *state;

	target_close(place->session.target);
	return 0;
}

static bool matches(const struct memory_pattern *pattern,
		    const unsigned char *bytes)
{
	uint64_t word = 0;

	if (pattern->bytes)
		return memcmp(bytes, pattern->bytes, pattern->length) == 0;
	memcpy(&word, bytes, pattern->size);
	return (word & pattern->mask) - pattern->low <= pattern->span;
}

struct expected {
	const struct place *place;
	const struct memory_pattern *pattern;
	struct memory_range range;
	size_t part, offset;
	size_t count;
};

/* The next match by looking at every place; false: there is none. */
static bool slow_next(struct expected *e, uint64_t *ret)
{
	const struct memory_pattern *pattern = e->pattern;
	size_t length = pattern->bytes ? pattern->length : pattern->size;
	size_t step = pattern->bytes || pattern->unaligned ? 1 : pattern->size;

	for (; e->part < 3; e->part++, e->offset = 0)
		for (; e->offset + length <= parts[e->part].size;) {
			size_t at = e->offset;
			uint64_t address = parts[e->part].start + at;

			e->offset += step;
			if (address < e->range.from ||
			    address >= e->range.upto ||
			    !matches(pattern, e->place->memory[e->part] + at))
				continue;
			*ret = address;
			return true;
		}
	return false;
}

static bool compare(void *context, uint64_t address)
{
	struct expected *e = context;
	uint64_t wanted = 0;

	assert_true(slow_next(e, &wanted));
	assert_int_equal(address, wanted);
	e->count++;
	return true;
}

static void assert_finds(struct place *place,
			 const struct memory_pattern *pattern,
			 struct memory_range range)
{
	struct expected expected = { place, pattern, range, 0, 0, 0 };
	uint64_t unused;

	assert_int_equal(memory_search(&place->session, pattern, range, compare,
				       &expected),
			 0);
	assert_false(slow_next(&expected, &unused));
	assert_true(expected.count > 0);
}

static const struct memory_range everywhere = { 0, UINT64_MAX };

static void words_are_found_as_by_hand(void **state)
{
	static const struct memory_pattern patterns[] = {
		{ .size = 1, .mask = UINT64_MAX, .low = 3 },
		{ .size = 2, .mask = UINT64_MAX, .low = 0x301 },
		{ .size = 2, .unaligned = true, .mask = 0xff00, .low = 0x200 },
		{ .size = 4, .mask = UINT64_MAX, .low = 0x1020300 },
		{ .size = 4,
		  .unaligned = true,
		  .mask = UINT64_MAX,
		  .low = 0x3020100,
		  .span = 0xff },
		{ .size = 8, .mask = 0xffffffff, .low = 0x3020100 },
		{ .size = 8,
		  .mask = UINT64_MAX,
		  .low = 0x0303030303000000,
		  .span = 0xffffff },
		{ .size = 8,
		  .unaligned = true,
		  .mask = 0xffffffffffff,
		  .low = 0x30201000302 },
		{ .size = 4, .mask = UINT64_MAX, .low = 0 }, /* zeros */
	};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		assert_finds(*state, &patterns[i], everywhere);
}

static void bytes_are_found_as_by_hand(void **state)
{
	static const unsigned char bytes[] = { 0, 3, 1, 2, 0, 0 };

	for (size_t length = 1; length <= sizeof(bytes); length++)
		assert_finds(*state,
			     &(struct memory_pattern){ .bytes = bytes,
						       .length = length },
			     everywhere);
}

static void a_range_is_kept_to(void **state)
{
	static const struct memory_pattern pattern = { .size = 2,
						       .mask = UINT64_MAX,
						       .low = 0x301 };

	assert_finds(*state, &pattern,
		     (struct memory_range){ FIRST + 0x101, THIRD + 0x777 });
}

static void a_match_crosses_chunks_and_not_mappings(void **state)
{
	struct place *place = *state;
	static const unsigned char text[] = "needle";
	const struct memory_pattern pattern = { .bytes = text, .length = 6 };
	struct expected expected = { place, &pattern, everywhere, 0, 0, 0 };

	memcpy(place->memory[0] + CHUNK - 3, text, 6);
	memcpy(place->memory[0] + CHUNK / 2 - 3, text, 6);
	memcpy(place->memory[0] + FIRST_SIZE - 3, text, 3);
	memcpy(place->memory[1], text + 3, 3);
	memcpy(place->memory[2] + THIRD_SIZE - 6, text, 6);
	memory_search(&place->session, &pattern, everywhere, compare,
		      &expected);
	assert_int_equal(expected.count, 3);
}

static bool count(void *context, uint64_t address)
{
	(void)address;
	++*(size_t *)context;
	return true;
}

static void a_damaged_page_costs_itself(void **state)
{
	struct place *place = *state;
	static const unsigned char text[] = "needle";
	const struct memory_pattern pattern = { .bytes = text, .length = 6 };
	size_t found = 0;

	memcpy(place->memory[2] + 0xffa, text, 6); /* ends where it begins */
	memcpy(place->memory[2] + 0x1800, text, 6);
	memcpy(place->memory[2] + 0x2000, text, 6);
	fake_target_damage(place->fake, THIRD + 0x1000);
	assert_int_equal(memory_search(&place->session, &pattern, everywhere,
				       count, &found),
			 0x1000);
	assert_int_equal(found, 2);
}

static bool first_only(void *context, uint64_t address)
{
	(void)address;
	++*(size_t *)context;
	return false;
}

static void who_has_enough_stops_it(void **state)
{
	struct place *place = *state;
	const struct memory_pattern pattern = { .size = 1, .mask = 0 };
	size_t found = 0;

	memory_search(&place->session, &pattern, everywhere, first_only,
		      &found);
	assert_int_equal(found, 1);
	place->session.interrupted = 1;
	memory_search(&place->session, &pattern, everywhere, count, &found);
	assert_in_range(found, 2, 1 + 2 * 4096); /* as many as are kept */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(words_are_found_as_by_hand),
		TEST(bytes_are_found_as_by_hand),
		TEST(a_range_is_kept_to),
		TEST(a_match_crosses_chunks_and_not_mappings),
		TEST(a_damaged_page_costs_itself),
		TEST(who_has_enough_stops_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
