/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rate of a program's ticks is known before anybody asks for a dump: so are
 * the times in a core of its crash.
 */
#include "tests/test_util.h"

#include "alloc/allocate.h"
#include "alloc/clock.h"
#include "alloc/root.h"

#include <stdlib.h>

static const struct kma_clock_pair *const start =
	&kma_root.clock[KMA_CLOCK_START];
static const struct kma_clock_pair *const latest =
	&kma_root.clock[KMA_CLOCK_LATEST];

static void use_magazines(void)
{
	struct kma_request request = { .size = 100, .align = 16 };

	for (int i = 0; i < 10000; i++) {
		void *p = kma_allocate(&request);

		assert_non_null(p);
		kma_release(p, SIZE_MAX, KMA_FAMILY_MALLOC, "free");
	}
}

static void a_working_program_has_a_rate(void **state)
{
	const uint64_t second = 1000000000, enough = 20 * second;
	uint64_t begun = kma_clock_nanoseconds();

	(void)state;
	while (latest->ticks == start->ticks &&
	       kma_clock_nanoseconds() - begun < enough)
		use_magazines();

	assert_true(latest->ticks > start->ticks);

	uint64_t before = kma_clock_nanoseconds(), from = kma_clock_now();
	uint64_t after = kma_clock_nanoseconds();

	while (kma_clock_nanoseconds() - after < second / 5)
		use_magazines();
	uint64_t least = kma_clock_nanoseconds() - after;
	uint64_t told = kma_clock_nanoseconds_between(from, kma_clock_now());
	uint64_t most = kma_clock_nanoseconds() - before;

	assert_true(told > least - least / 50 && told < most + most / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_working_program_has_a_rate),
	};

	if (!kma_init())
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
