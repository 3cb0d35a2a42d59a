/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every unit test needs: cmocka, and errors as assertions. */
#ifndef TESTS_TEST_UTIL_H
#define TESTS_TEST_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs those above, so a block of its own */

#include "dumpfmt/err.h"

static inline void assert_ok(struct err *err)
{
	char text[512] = "";

	err_describe(err, text, sizeof(text));
	assert_string_equal(text, "");
}

static inline void assert_err(struct err *err, enum err_code code,
			      const char *message)
{
	char text[512] = "";

	assert_non_null(err);
	err_describe(err, text, sizeof(text));
	assert_string_equal(text, message);
	assert_int_equal(err_code(err), code);
	err_free(err);
}

#endif
