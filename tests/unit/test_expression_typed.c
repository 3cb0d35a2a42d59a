/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Members in expressions, on this test's own variables and types. */
#include "kdbg/expression.h"
#include "kdbg/target.h"
#include "tests/test_util.h"
#include "tests/unit/self_target.h"
#include "tests/unit/session_fixture.h"

#include <stddef.h>
#include <string.h>

struct link {
	struct link *next;
};

struct item {
	int number;
	signed char small;
	unsigned low : 3, high : 5;
	struct {
		long inner;
	};
	struct item *other;
	struct link link;
	int grid[2][3];
	const char *text;
};

struct item second = { .number = 7,
		       .grid = { { 1, 2, 3 }, { 4, 5, 6 } },
		       .text = "second" };
struct item first = {
	.number = -2,
	.small = -1,
	.low = 5,
	.high = 17,
	.inner = 99,
	.other = &second,
	.link = { &second.link },
};
struct item *pointer = &first;
struct item *table[] = { &first, &second };

static const struct dcmd *const no_dcmds[] = { NULL };
static const struct walker *const no_walkers[] = { NULL };

static struct fixture fixture;

static int setup(void **state)
{
	(void)state;
	fixture_init_on(&fixture, self_target_create(NULL), no_dcmds,
			no_walkers);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_deinit(&fixture);
	return 0;
}

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void members_are_what_c_says(void **state)
{
	(void)state;
	const struct {
		const char *text;
		uint64_t value;
	} cases[] = {
		{ "first", (uintptr_t)&first }, /* a name is its address */
		{ "first.number", (uint64_t)-2 },
		{ "first.small", (uint64_t)-1 },
		{ "first.low", 5 },
		{ "first.high", 17 },
		{ "first.inner", 99 },
		{ "first.other", (uintptr_t)&second },
		{ "first.other->number", 7 },
		{ "first.other->number+1", 8 },
		{ "first.other.number", 7 }, /* forgiven */
		{ "pointer->other->number", 7 },
		{ "pointer->number", (uint64_t)-2 },
		{ "(*pointer).other", (uintptr_t)&second },
		{ "pointer", (uintptr_t)&pointer },
		{ "*pointer", (uintptr_t)&first },
		{ "first.link", (uintptr_t)&first.link }, /* an aggregate */
		{ "&first.link", (uintptr_t)&first.link },
		{ "&first.number", (uintptr_t)&first.number },
		{ "&pointer->other->text", (uintptr_t)&second.text },
		{ "&first", (uintptr_t)&first },
		{ "second.grid[1][2]", 6 },
		{ "second.grid[1]", (uintptr_t)&second.grid[1] },
		{ "pointer->other->grid[0 + 1][1]", 5 },
		{ "table[1]->number", 7 },
		{ "table[0]->other->number", 7 },
		{ "*table[1]->text", 's' },
		{ "*first.other->text", 's' },
		{ "streq(second.text, \"second\")", 1 },
		{ "strlen(table[1]->text)", 6 },
		{ "sizeof(struct item)", sizeof(struct item) },
		{ "sizeof(struct item *)", sizeof(struct item *) },
		{ "offsetof(struct item, link.next)",
		  offsetof(struct item, link.next) },
		{ "offsetof(struct item, grid[1])",
		  offsetof(struct item, grid[1]) },
		{ "container(first.link.next, struct item, link)",
		  (uintptr_t)&second },
		{ "container(first.link.next, struct item, link)->number", 7 },
		{ "((struct item *)first)->number", (uint64_t)-2 },
		{ "((struct item *)first.other)->number", 7 },
		{ "(struct item *)first.other", (uintptr_t)&second },
		{ "((struct item *)(first+0))[0].low", 5 },
		{ "2*second.number", 14 },
		{ "-second.number", (uint64_t)-7 },
		{ "(first.low lt 6) && second.number==7", 1 },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t value = 0;

		print_message("%s\n", cases[i].text);
		assert_ok(session_evaluate(&fixture.session, cases[i].text,
					   &value));
		if (value != cases[i].value)
			print_message("is %#lx, not %#lx\n", value,
				      cases[i].value);
		assert_int_equal(value, cases[i].value);
	}
}

static void mistakes_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "first.nothing", ".nothing: struct item has no member "
				   "nothing" },
		{ "first->number", "->number: struct item is no pointer" },
		{ "first.number->x", "->x: int is no pointer" },
		{ "second.grid[2]", "int [2][3] has no element 2" },
		{ "first.number[0]", "int is no array" },
		{ "second.other->number", "0: not in the process, not mapped" },
		{ "&first.low",
		  "& is for variables and members that have an address" },
		{ "sizeof(struct nowhere)",
		  "sizeof(): no type struct nowhere in the " },
		{ "offsetof(struct item, other->number)",
		  "offsetof(): other->number: it leads through a pointer, into "
		  "another object" },
		{ "((struct item *)first)number",
		  "unexpected 'number' where an operator should be" },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t value = 42;
		char text[256];
		struct err *err = session_evaluate(&fixture.session,
						   cases[i].text, &value);

		assert_non_null(err);
		err_describe(err, text, sizeof(text));
		print_message("%s: %s\n", cases[i].text, text);
		assert_int_equal(value, 42); /* untouched */
		if (strncmp(text, cases[i].message, strlen(cases[i].message)) !=
		    0)
			assert_string_equal(text, cases[i].message);
		err_free(err);
	}
}

int original = 1234;
char phrase[] = "as it was";

/* % reads what the file has, * what the program has made of it. */
static void percent_reads_the_file(void **state)
{
	(void)state;
	uint64_t value;

	*(volatile int *)&original = 4321;
	phrase[0] = 'A';
	assert_ok(session_evaluate(&fixture.session, "*/4/original", &value));
	assert_int_equal(value, 4321);
	assert_ok(session_evaluate(&fixture.session, "%/4/original", &value));
	assert_int_equal(value, 1234);
	fixture_run(&fixture, "original?D; original/D; phrase?s; phrase?2C");
	assert_string_equal(fixture.text,
			    "test_expression_typed`original: 1234\n"
			    "test_expression_typed`original: 4321\n"
			    "test_expression_typed`phrase: as it was\n"
			    "test_expression_typed`phrase: as\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(members_are_what_c_says, setup,
						teardown),
		cmocka_unit_test_setup_teardown(mistakes_are_named, setup,
						teardown),
		cmocka_unit_test_setup_teardown(percent_reads_the_file, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
