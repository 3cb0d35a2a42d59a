/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/demangle.h"
#include "tests/test_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
		{ "_RNvC6_123foo3bar", "123foo::bar" },
		{ "_RNvCs4fqI2P2rA04_8mycrate4leak", NULL },
		{ "_RNvCs4fqI2P2rA04_7mycrate4leak", "mycrate::leak" },
		{ "_RINvNtC3std3mem8align_ofjE",
		  "std::mem::align_of::<usize>" },
		{ "_RNvMs_Cs4fqI2P2rA04_7mycrateNtB4_4Node3new",
		  "<mycrate::Node>::new" },
		{ "_RNvC5crateu8gdel_5qa", "crate::gödel" },
		{ "_Realloc", NULL },
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

/* A function's name with so many types, each a pair of the one before. */
static void name_pairs(char *name, int count)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t last = strlen("INvC1a1f"); /* where the last type begins */
	char *end = name + sprintf(name, "_RINvC1a1fTuuE");

	for (int i = 1; i < count; i++) {
		size_t value = last - 1; /* as "_" alone is 0 */
		char number[3] = { digits[value % 62] };

		if (value >= 62) {
			number[1] = number[0];
			number[0] = digits[value / 62];
		}
		last = (size_t)(end - name) - strlen("_R");
		end += sprintf(end, "TB%s_B%s_E", number, number);
	}
	strcpy(end, "E");
}

static void names_do_not_explode(void **state)
{
	(void)state;
	struct demangler demangler = { 0 };
	char name[1024], *plain;

	name_pairs(name, 2);
	plain = demangle(&demangler, name);
	assert_string_equal(plain, "a::f::<((), ()), (((), ()), ((), ()))>");
	free(plain);
	name_pairs(name, 8);
	plain = demangle(&demangler, name);
	assert_non_null(plain);
	free(plain);
	name_pairs(name, 60); /* 2^60 pairs */
	assert_null(demangle(&demangler, name));
	demangler_deinit(&demangler);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_as_people_write_them),
		cmocka_unit_test(names_do_not_explode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
