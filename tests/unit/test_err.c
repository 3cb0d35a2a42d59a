/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/test_util.h"

static void wrapping_success_stays_success(void **state)
{
	(void)state;
	assert_null(err_wrap(NULL, "opening %s", "x.dump"));
}

static void context_reads_from_outside_in(void **state)
{
	(void)state;
	struct err *err = err_new(ERR_CORRUPT, "bad magic");

	err = err_wrap(err, "header");
	assert_err(err_wrap(err, "opening %s", "x.dump"), ERR_CORRUPT,
		   "opening x.dump: header: bad magic");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrapping_success_stays_success),
		cmocka_unit_test(context_reads_from_outside_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
