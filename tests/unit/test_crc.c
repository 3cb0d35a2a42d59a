/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dumpfmt/crc.h"
#include "tests/test_util.h"

#include <stdlib.h>
#include <zlib.h>

enum { SIZE = 8192 };

static unsigned char *make_bytes(void)
{
	unsigned char *bytes = malloc(SIZE);
	uint32_t x = 12345;

	assert_non_null(bytes);
	for (size_t i = 0; i < SIZE; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(x >> 24);
	}
	return bytes;
}

/* Every size around those where the way to it changes, wherever it lies. */
static void is_zlibs(void **state)
{
	(void)state;
	unsigned char *bytes = make_bytes();

	for (size_t size = 0; size < 1024; size++)
		for (size_t at = 0; at < 20; at++)
			assert_int_equal(dump_crc(0, bytes + at, size),
					 crc32_z(0, bytes + at, size));
	free(bytes);
}

static void goes_on(void **state)
{
	(void)state;
	unsigned char *bytes = make_bytes();
	uint32_t whole = (uint32_t)crc32_z(0, bytes, SIZE);

	for (size_t first = 0; first <= SIZE; first += 61)
		assert_int_equal(dump_crc(dump_crc(0, bytes, first),
					  bytes + first, SIZE - first),
				 whole);
	free(bytes);
}

static void sees_every_bit(void **state)
{
	(void)state;
	unsigned char *bytes = make_bytes();
	uint32_t whole = dump_crc(0, bytes, SIZE);

	for (size_t i = 0; i < SIZE; i++) {
		unsigned char bit = (unsigned char)(1 << i % 8);

		bytes[i] ^= bit;
		assert_int_not_equal(dump_crc(0, bytes, SIZE), whole);
		bytes[i] ^= bit;
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_zlibs),
		cmocka_unit_test(goes_on),
		cmocka_unit_test(sees_every_bit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
