/* SPDX-License-Identifier: GPL-3.0-or-later */
/* That what is told of four words at once is what is true of each. */
#include "kdbg/reach_hidden.h"
#include "tests/test_util.h"

#include <stdlib.h>

enum { COUNT = 11, ROUNDS = 20000 };

static const struct {
	uint64_t low, span;
} heaps[] = {
	{ UINT64_C(0x7be037a0e000), 0x29e37000 }, /* one upper half */
	{ UINT64_C(0x7be0f0000000), 0x70000000 }, /* two */
	{ UINT64_C(0x500000000000), UINT64_C(1) << 40 },
	{ UINT64_C(0x7fff00000000), 0x80000000 }, /* up to the last */
	{ UINT64_C(0x10000000), 0x1000000 },      /* zeros may be halves */
	{ UINT64_C(0x7fffffff0000), 0x8000 },
};

static uint64_t random_bits(void)
{
	return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^
	       (uint64_t)rand();
}

/* Of what words are in a heap, and near it. */
static uint64_t random_word(uint64_t low, uint64_t span)
{
	uint64_t address = low + random_bits() % span;

	switch (rand() % 12) {
	case 0:
		return address;
	case 1:
		return address | UINT64_C(1) << (47 + rand() % 17);
	case 2:
		return address >> 32 | random_bits() << 32;
	case 3:
		return low - 1;
	case 4:
		return low + span + (UINT64_C(1) << 32);
	case 5:
		return random_bits();
	case 6:
		return UINT64_MAX;
	default:
		return random_bits() % 1000;
	}
}

static bool is_half(uint64_t half, uint64_t low, uint64_t span)
{
	return half >= low >> 32 && half <= (low + span) >> 32;
}

static bool is_tagged(uint64_t word, uint64_t low, uint64_t span)
{
	return word >> 47 && is_half(word << 17 >> 49, low, span);
}

static bool is_hiding(const uint64_t *words, size_t count, uint64_t low,
		      uint64_t span)
{
	for (size_t i = 0; i < count; i++)
		if (is_half((uint32_t)words[i], low, span) ||
		    is_tagged(words[i], low, span))
			return true;
	return false;
}

static void what_may_hide_a_pointer_is_seen(void **state)
{
	uint64_t words[COUNT];

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		size_t heap =
			(size_t)round % (sizeof(heaps) / sizeof(heaps[0]));
		size_t count = (size_t)rand() % (COUNT + 1);
		uint64_t low = heaps[heap].low, span = heaps[heap].span;
		struct hidden hidden = hidden_in(low, span);

		for (size_t i = 0; i < count; i++)
			words[i] = random_word(low, span);
		assert_int_equal(
			hidden_may(&hidden, (const char *)words, count),
			is_hiding(words, count, low, span));
	}
}

static void no_pointer_of_four_is_passed_over(void **state)
{
	uint64_t words[HIDDEN_WORDS];

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		size_t heap =
			(size_t)round % (sizeof(heaps) / sizeof(heaps[0]));
		uint64_t low = heaps[heap].low, span = heaps[heap].span;
		struct hidden hidden = hidden_in(low, span);
		struct hiding hiding = hiding_none();
		bool any = false;

		for (size_t i = 0; i < HIDDEN_WORDS; i++) {
			words[i] = random_word(low, span);
			any |= is_half(words[i] << 17 >> 49, low, span);
		}
		assert_int_equal(
			hidden_four(&hidden, (const char *)words, &hiding),
			any);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_hide_a_pointer_is_seen),
		cmocka_unit_test(no_pointer_of_four_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
