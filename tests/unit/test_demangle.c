/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/demangle.h"
#include "tests/test_util.h"

#include <stdlib.h>

static void names_are_as_people_write_them(void **state)
{
	(void)state;
	const struct {
		const char *mangled, *plain;
	} cases[] = {
		{ "main", NULL },
		{ "_Z9oops", NULL },
		{ "_Z4makei", "make(int)" },
		{ "_ZN1r4leak17h68522366e2f1e477E", "r::leak" },
		{ "_ZN1r4leak17h68522366e2f1e47gE",
		  "r::leak::h68522366e2f1e47g" },
		{ "_ZN63_$LT$alloc..alloc..Global$u20$as$u20$core..alloc.."
		  "Allocator$GT$8allocate17hd3d5a39a7d9f4181E",
		  "<alloc::alloc::Global as core::alloc::Allocator>::"
		  "allocate" },
		{ "_ZN3std2io8$C$u7$xy17h0123456789abcdefE",
		  "std::io::,u7$xy" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct demangler demangler = { 0 };
		char *plain = demangle(&demangler, cases[i].mangled);

		if (cases[i].plain)
			assert_string_equal(plain, cases[i].plain);
		else
			assert_null(plain);
		free(plain);
		demangler_deinit(&demangler);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_as_people_write_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
