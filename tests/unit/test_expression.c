/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/variables.h"
#include "tests/test_util.h"
#include "tests/unit/session_fixture.h"

#include <stdlib.h>
#include <string.h>

static const struct dcmd *const no_dcmds[] = { NULL };
static const struct walker *const no_walkers[] = { NULL };

static struct fixture fixture;

static int setup(void **state)
{
	(void)state;
	fixture_init(&fixture, no_dcmds, no_walkers);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_deinit(&fixture);
	return 0;
}

struct value_case {
	const char *text;
	uint64_t value;
};

static void assert_values(const struct value_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = 0;

		struct err *err = session_evaluate(&fixture.session,
						   cases[i].text, &value);
		if (err || value != cases[i].value)
			print_message("%s\n", cases[i].text);
		assert_ok(err);
		assert_int_equal(value, cases[i].value);
	}
}

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void numbers_have_a_radix(void **state)
{
	(void)state;
	static const struct value_case cases[] = {
		{ "10", 0x10 },
		{ "1F", 0x1f },
		{ "0i101", 5 },
		{ "0I11", 3 },
		{ "0o17", 15 },
		{ "0t10", 10 },
		{ "0T99", 99 },
		{ "0xfF", 255 },
		{ "0Xa", 10 },
		{ "0", 0 },
		{ "0b1", 0xb1 }, /* no prefix of ours */
		{ "ffffffffffffffff", UINT64_MAX },
		{ "beef", 0xbeef }, /* no symbol of that name */
		{ "0t1.5", UINT64_C(0x3ff8000000000000) },
		{ "'a'", 0x61 },
		{ "'abcd'", 0x61626364 },
		{ "'abcdefgh'", UINT64_C(0x6162636465666768) },
		{ "'\\n\\x41\\101\\\\'", 0x0a41415c },
		{ "'\\0a'", 0x61 },
	};

	assert_values(cases, COUNT_OF(cases));
	fixture.session.radix = 10;
	static const struct value_case decimal[] = { { "10", 10 },
						     { "0x10", 16 },
						     { "0i10", 2 } };
	assert_values(decimal, COUNT_OF(decimal));
}

static void every_operator_has_its_value(void **state)
{
	(void)state;
	static const struct value_case cases[] = {
		{ "3+4", 7 },
		{ "3-4", UINT64_MAX },
		{ "3*4", 12 },
		{ "0t17%5", 3 },
		{ "-7%2", (uint64_t)-3 }, /* signed */
		{ "8000000000000000%-1", UINT64_C(1) << 63 },
		{ "0t13#8", 16 },
		{ "10#8", 0x10 },
		{ "-5#4", (uint64_t)-4 },
		{ "0#8", 0 },
		{ "6&3", 2 },
		{ "6|3", 7 },
		{ "6^3", 5 },
		{ "1<<4", 16 },
		{ "100>>4", 0x10 },
		{ "1<<0t64", 0 },
		{ "ff>>0t200", 0 },
		{ "3==3", 1 },
		{ "3==4", 0 },
		{ "3!=4", 1 },
		{ "(3<4)", 1 },
		{ "(4<=4)", 1 },
		{ "(3>4)", 0 },
		{ "(4>=5)", 0 },
		{ "(-1>1)", 1 }, /* unsigned */
		{ "3 lt 4", 1 },
		{ "4 le 3", 0 },
		{ "-1 gt 1", 1 },
		{ "4 ge 4", 1 },
		{ "0t17 mod 5", 2 },
		{ "-7 mod 2", (uint64_t)-1 }, /* -7%2 is -3 */
		{ "8000000000000000 mod -1", 0 },
		{ "1 and 2", 1 },
		{ "0 and *0", 0 },
		{ "0 or 2", 1 },
		{ "max(3,4)", 4 },
		{ "max(-1,4)", UINT64_MAX }, /* unsigned */
		{ "min(3, 2+2)", 3 },
		{ "min(max(1,5),4)", 4 },
		{ "strlen(10040)", 8 },
		{ "streq(10040,\"hello\\n\\e!\")", 1 },
		{ "streq(10040,\"hello\")", 0 },
		{ "streq(0,\"hello\")", 0 },
		{ "sizeof(long)", 8 },
		{ "sizeof(unsigned short)", 2 },
		{ "((int *)10008)[0]", 0x22222222 },
		{ "((unsigned char *)10100)[0t17]", 17 },
		{ "*(unsigned short *)10101", 0x201 },
		{ "1&&2", 1 },
		{ "1&&0", 0 },
		{ "0||2", 1 },
		{ "0||0", 0 },
		{ "0&&*0", 0 }, /* the right side is not read */
		{ "1||*0", 1 },
		{ "-1", UINT64_MAX },
		{ "~0", UINT64_MAX },
		{ "#5", 0 },
		{ "#0", 1 },
		{ "##5", 1 },
		{ "*10000", 0x11111111 },
		{ "*/8/10008", 0x22222222 },
		{ "*/l/10008", 0x22222222 },
		{ "*/i/10008", 0x22222222 },
		{ "*/4/10009", 0x222222 },
		{ "*/s/10000", 0x1111 },
		{ "*/2/10000", 0x1111 },
		{ "*/c/10000", 0x11 },
		{ "*/1/10101", 1 },
		{ "*<rsp", 0x33333333 },
	};

	assert_values(cases, COUNT_OF(cases));
}

static void precedence_is_mdbs(void **state)
{
	(void)state;
	static const struct value_case cases[] = {
		{ "1|2^3&1", 1 | (2 ^ (3 & 1)) },
		{ "1|2==2", 1 },
		{ "4&5==5", 0 },
		{ "1==1<<1", 0 },
		{ "1<<1+1", 4 },
		{ "8>>1<<1", 8 },
		{ "1+2*3", 7 },
		{ "2*3+1", 7 },
		{ "7-3-2", 2 }, /* to the left */
		{ "0t100%5%2", 10 },
		{ "3*5#8", 16 },
		{ "-2+3", 1 },
		{ "~0&f", 0xf },
		{ "*10000+1", 0x11111112 },
		{ "*(10000+8)", 0x22222222 },
		{ "(1+2)*3", 9 },
		{ "((((1))))", 1 },
		{ "- - 5", 5 },
		{ "-~0", 1 },
		{ "1||0&&0", 1 },
		{ "  1 +\t2 // three", 3 },
	};

	assert_values(cases, COUNT_OF(cases));
}

static void dot_and_its_neighbours(void **state)
{
	(void)state;
	static const struct value_case cases[] = {
		{ ".", 0x1000 },     { ".+8", 0x1008 }, { "+", 0x1010 },
		{ "^", 0xff0 },      { "&", 0x2000 },   { "+-.", 0x10 },
		{ "& & &", 0x2000 }, /* last and last */
		{ "(.)", 0x1000 },
	};

	fixture.session.dot = 0x1000;
	fixture.session.increment = 0x10;
	fixture.session.last = 0x2000;
	assert_values(cases, COUNT_OF(cases));
}

static void registers_and_variables_are_read_alike(void **state)
{
	(void)state;
	static const struct value_case cases[] = {
		{ "<rax", 0xa }, { "<pc", 0x401000 },  { "<thread", 7 },
		{ "<mine", 5 },  { "<mine+<rax", 15 }, { "<1", 9 },
	};
	struct variables *variables = fixture.session.variables;

	assert_ok(variables_set(variables, "mine", 5));
	assert_ok(variables_set(variables, "1", 9));
	assert_values(cases, COUNT_OF(cases));
	assert_ok(variables_set(variables, "rax", 1)); /* hides the register */
	assert_values((struct value_case[]){ { "<rax", 1 } }, 1);
	assert_true(variables_unset(variables, "rax"));
	assert_false(variables_unset(variables, "rax"));
	assert_values((struct value_case[]){ { "<rax", 0xa } }, 1);
}

static void mistakes_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "a value is missing at the end" },
		{ "1+", "a value is missing at the end" },
		{ "(1", "')' is missing at the end" },
		{ "1)", "unexpected ')' where an operator should be" },
		{ "1 2", "unexpected '2' where an operator should be" },
		{ "1;2", "one expression, not several commands" },
		{ "12g", "'12g' is not a number in base 16 that fits 64 bits" },
		{ "0t12a",
		  "'0t12a' is not a number in base 16 that fits 64 bits" },
		{ "0x", "'0x' is not a number in base 16 that fits 64 bits" },
		{ "0x0x1",
		  "'0x0x1' is not a number in base 16 that fits 64 bits" },
		{ "10000000000000000", "'10000000000000000' is not a number in "
				       "base 16 that fits 64 bits" },
		{ "''", "a character constant holds 1 to 8 characters" },
		{ "'abcdefghi'",
		  "a character constant holds 1 to 8 characters" },
		{ "'abc", "a quote has no end" },
		{ "<", "unexpected '<': comparisons go in parentheses" },
		{ "<nothing", "variable 'nothing' is not set" },
		{ "1%0", "division by zero" },
		{ "1#0", "rounding up to a multiple of zero" },
		{ "1 mod 0", "division by zero" },
		{ "nope(1)", "there is no function nope(): see ::functions" },
		{ "max(1)", "it is max(a, b)" },
		{ "max(1,2,3)", "it is max(a, b)" },
		{ "streq(1,2)",
		  "unexpected '2' where a string in \"quotes\" should be" },
		{ "strlen(0)", "strlen(): no string: not readable, or without "
			       "an end" },
		{ "sizeof()", "sizeof(): a type is missing at ''" },
		{ "1000->", "a member's name is missing at the end" },
		{ "1000->x",
		  "0x1000 has no type: say ((struct name *)0x1000)->x" },
		{ "1000[1", "']' is missing at the end" },
		{ "(int *)", "a value is missing at the end" },
		{ "((int *)10000)->x", "->x: int is no structure" },
		{ "%10000", "0x10000: of no module" },
		{ "*/z/1", "a sized read is */X/, X one of c s i l 1 2 4 8" },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t value = 42;

		print_message("%s\n", cases[i].text);
		struct err *err = session_evaluate(&fixture.session,
						   cases[i].text, &value);
		assert_non_null(err);
		assert_err(err, err_code(err), cases[i].message);
		assert_int_equal(value, 42); /* untouched */
	}
}

static void unmapped_decimal_gets_a_hint(void **state)
{
	(void)state;
	char text[256];
	uint64_t value;
	struct err *err = session_evaluate(&fixture.session, "*1234", &value);

	assert_non_null(err);
	err_describe(err, text, sizeof(text));
	assert_non_null(strstr(
		text, "1234 was read as hexadecimal, decimal is 0t1234: "));
	err_free(err);
}

static void hostile_expressions_end(void **state)
{
	(void)state;
	enum { LENGTH = 100000 };
	char *text = malloc(LENGTH + 1);
	uint64_t value;

	assert_non_null(text);
	memset(text, '(', LENGTH);
	text[LENGTH] = '\0';
	assert_err(session_evaluate(&fixture.session, text, &value), ERR_USAGE,
		   "the expression is nested too deeply");
	memset(text, '-', LENGTH);
	assert_err(session_evaluate(&fixture.session, text, &value), ERR_USAGE,
		   "the expression is nested too deeply");
	for (int i = 0; i < LENGTH; i += 2)
		memcpy(text + i, "1+", 2);
	assert_err(session_evaluate(&fixture.session, text, &value), ERR_USAGE,
		   "the expression is too long");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_have_a_radix, setup,
						teardown),
		cmocka_unit_test_setup_teardown(every_operator_has_its_value,
						setup, teardown),
		cmocka_unit_test_setup_teardown(precedence_is_mdbs, setup,
						teardown),
		cmocka_unit_test_setup_teardown(dot_and_its_neighbours, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			registers_and_variables_are_read_alike, setup,
			teardown),
		cmocka_unit_test_setup_teardown(mistakes_are_named, setup,
						teardown),
		cmocka_unit_test_setup_teardown(unmapped_decimal_gets_a_hint,
						setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_expressions_end, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
