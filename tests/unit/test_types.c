/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Types that were declared, on memory that is known; and the test's own types,
 * on its own memory. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/types.h"
#include "kdbg/types_declare.h"
#include "tests/test_util.h"
#include "tests/unit/fake_target.h"
#include "tests/unit/self_target.h"
#include "tests/unit/session_fixture.h"

#include <stddef.h>
#include <string.h>

enum { BASE = 0x10000 };

/* --- what C's rules say of a structure ---------------------------------- */

#define SAME_IN_C(...)                                      \
	static const char declaration[] = #__VA_ARGS__ ";"; \
	__VA_ARGS__

enum size { SMALL, LARGE = 1 << 3, BELOW = -2, AFTER };
typedef int (*function)(const char *, ...);
/* clang-format off */
SAME_IN_C(struct mixed {
	char a;
	unsigned b : 3, c : 30;
	unsigned short : 0;
	unsigned char d : 7, e : 2;
	long long f : 40;
	enum size size;
	function call, (*calls[2])(int), *pointer;
	union {
		char text[2 * 3 + 1];
		struct { short low, high; };
		long whole;
	};
	int grid[2][LARGE];
	_Bool flag : 1;
	double real __attribute__((unused));
	long double wide;
	struct __attribute__((packed)) { char x; long y; int z : 5; } tight;
	int items[];
});
/* clang-format on */

static const char before[] =
	"enum size { SMALL, LARGE = 1 << 3, BELOW = -2, AFTER };"
	"typedef int (*function)(const char *, ...);";

static void setup(struct fixture *fixture, struct target *target)
{
	fixture_init_on(fixture, target, dcmd_table, walker_table);
}

static struct target *small_target(const void *bytes, size_t size)
{
	struct fake_target *fake = fake_target_create();

	fake_target_memory(fake, BASE, bytes, size);
	return fake_target_finish(fake);
}

static struct types *types_of(struct fixture *fixture)
{
	struct types *types;

	assert_ok(session_types(&fixture->session, &types));
	return types;
}

static void declare(struct fixture *fixture, const char *text)
{
	size_t count;

	assert_ok(types_declare(types_of(fixture), text, &count));
}

struct offset {
	const char *member;
	size_t offset;
};

static void assert_offsets(struct fixture *fixture, const char *type,
			   const struct offset *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char command[128], wanted[128];

		snprintf(command, sizeof(command), "::offsetof %s %s", type,
			 list[i].member);
		snprintf(wanted, sizeof(wanted), "offsetof (%s, %s) = 0x%zx\n",
			 type, list[i].member, list[i].offset);
		assert_prints(fixture, command, wanted);
	}
}

static void layout_is_the_compilers(void **state)
{
	static const struct offset offsets[] = {
		{ "a", offsetof(struct mixed, a) },
		{ "size", offsetof(struct mixed, size) },
		{ "call", offsetof(struct mixed, call) },
		{ "calls", offsetof(struct mixed, calls) },
		{ "calls[1]", offsetof(struct mixed, calls[1]) },
		{ "pointer", offsetof(struct mixed, pointer) },
		{ "high", offsetof(struct mixed, high) },
		{ "grid", offsetof(struct mixed, grid) },
		{ "grid[1][3]", offsetof(struct mixed, grid[1][3]) },
		{ "real", offsetof(struct mixed, real) },
		{ "wide", offsetof(struct mixed, wide) },
		{ "items", offsetof(struct mixed, items) },
	};
	struct fixture fixture;
	char wanted[64];

	(void)state;
	setup(&fixture, small_target("", 1));
	declare(&fixture, before);
	declare(&fixture, declaration);
	snprintf(wanted, sizeof(wanted), "sizeof (struct mixed) = 0x%zx\n",
		 sizeof(struct mixed));
	assert_prints(&fixture, "::sizeof struct mixed", wanted);
	assert_offsets(&fixture, "struct mixed", offsets,
		       sizeof(offsets) / sizeof(offsets[0]));
	fixture_deinit(&fixture);
}

/* The bits a compiler sets are the bits that are read. */
static void bitfields_are_the_compilers(void **state)
{
	struct mixed mixed = { .b = 5,
			       .c = 0x2aaaaaaa,
			       .d = 0x55,
			       .e = 2,
			       .f = -3,
			       .size = BELOW,
			       .flag = 1,
			       .tight.z = -1 };
	struct fixture fixture;

	(void)state;
	setup(&fixture, small_target(&mixed, sizeof(mixed)));
	declare(&fixture, before);
	declare(&fixture, declaration);
	assert_prints(&fixture,
		      "10000::print -d struct mixed b c d e f size flag "
		      "tight.z",
		      "b = 5\nc = 715827882\nd = 85\ne = 2\nf = -3\n"
		      "size = -2 (BELOW)\nflag = true\ntight.z = -1\n");
	fixture_deinit(&fixture);
}

/* --- printing ----------------------------------------------------------- */

struct thing {
	struct thing *next;
	char name[8];
	short list[3];
	char *text;
};

static const char thing_declaration[] =
	"struct thing { struct thing *next; char name[8]; short list[3];"
	" char *text; };";

static void structures_are_printed(void **state)
{
	struct thing things[3] = {
		{ (void *)(BASE + 32), "one", { 1, 2, 3 }, NULL },
		{ (void *)(BASE + 64), "two\n", { -1 }, (char *)BASE + 8 },
		{ (void *)(BASE + 32), "three333", { 0 }, (char *)0x99 },
	};
	struct fixture fixture;

	(void)state;
	setup(&fixture, small_target(things, sizeof(things)));
	declare(&fixture, thing_declaration);
	assert_prints(&fixture, "10020::print struct thing",
		      "{\n"
		      "    next = 0x10040\n"
		      "    name = [ \"two\\n\" ]\n"
		      "    list = [ 0xffff, 0, 0 ]\n"
		      "    text = 0x10008 \"one\"\n"
		      "}\n");
	assert_prints(&fixture, "10000::print -at struct thing list",
		      "10010 short [3] list = [ 0x1, 0x2, 0x3 ]\n");
	assert_prints(&fixture, "10000::print -h struct thing",
		      "{\n"
		      "    next = 0x10020\n"
		      "    name = [ \"one\" ]\n"
		      "    list = [ 0x1, 0x2, 0x3 ]\n"
		      "    <<HOLE 2 bytes>>\n"
		      "    text = 0\n"
		      "}\n");
	assert_prints(&fixture, "10000::print struct thing next->next->name",
		      "next->next->name = [ \"three333\" ]\n");
	assert_prints(&fixture, "10000::print -c 2 struct thing *next.text",
		      "*next.text = 'o'\n");
	assert_prints(&fixture, "10000::print -s 0 'struct thing [2]'",
		      "[ ... ]\n");
	assert_prints(&fixture, "41::print -i char", "'A'\n");
	assert_prints(&fixture, "10000::print -l 1 'short [4]'",
		      "[ 0x20, ... ]\n");
	fixture_deinit(&fixture);
}

static void pipes_and_lists(void **state)
{
	struct thing things[3] = {
		{ (void *)(BASE + 32), "one", { 1, 2, 3 }, NULL },
		{ (void *)(BASE + 64), "two\n", { -1 }, (char *)BASE + 8 },
		{ (void *)(BASE + 32), "three333", { 0 }, (char *)0x99 },
	};
	struct fixture fixture;

	(void)state;
	setup(&fixture, small_target(things, sizeof(things)));
	declare(&fixture, thing_declaration);
	assert_prints(&fixture, "10000::list struct thing next",
		      "0000000000010000\n0000000000010020\n"
		      "0000000000010040\n"
		      "the list does not end: it comes back to 10020\n");
	assert_prints(&fixture, "10000::array struct thing 3 | ::map .-10000",
		      "0000000000000000\n0000000000000020\n"
		      "0000000000000040\n");
	assert_prints(&fixture,
		      "10000::print struct thing next | ::print struct thing "
		      "next | ::map .",
		      "0000000000010040\n");
	assert_prints(&fixture, "10000::print struct thing list | ::map .",
		      "0000000000000001\n0000000000000002\n"
		      "0000000000000003\n");
	assert_prints(&fixture,
		      "10000::array struct thing 3 | ::printf '%?p|%-9s|%04x|"
		      "%d' struct thing . name list[0] list[0]",
		      "           10000|one      |0001|1\n"
		      "           10020|two\\x0a     |ffff|-1\n"
		      "           10040|three333 |0000|0\n");
	fixture_deinit(&fixture);
}

static void what_is_wrong_is_told(void **state)
{
	static const char *const cases[][2] = {
		{ "::sizeof struct no", "no type struct no: none of the 0 "
					"modules has debug information" },
		{ "10000::print struct thing nope",
		  "struct thing has no member nope" },
		{ "10000::print struct thing next->", "not a member" },
		{ "10000::print struct thing name[8]",
		  "char [8] has no element 8" },
		{ "10000::print struct thing list->x", "is no pointer" },
		{ "::print", "name a type" },
		{ "::offsetof struct thing next->next",
		  "leads through a pointer" },
		{ "10000::list struct thing", "which member is the link?" },
		{ "10000::printf '%z' int .", "no conversion" },
		{ "10000::printf '%d %d' int .", "more conversions" },
		{ "::typedef 'struct x { int a; ' y", "line 1:" },
		{ "::typedef 'struct x { nix a; }'", "no type nix is known" },
		{ "::typedef 'struct x { struct y inner; }'",
		  "cannot be placed" },
		{ "::typedef -r /nonexistent", "No such file" },
		{ "::typedef -r /dev/zero", "is no file" },
	};
	struct fixture fixture;

	(void)state;
	setup(&fixture, small_target("", 1));
	declare(&fixture, thing_declaration);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_run(&fixture, cases[i][0]);
		if (!strstr(fixture_errors(&fixture), cases[i][1]))
			fail_msg("%s said: %s", cases[i][0],
				 fixture_errors(&fixture));
	}
	fixture_deinit(&fixture);
}

static void json_has_a_row_for_each_member(void **state)
{
	int pair[2] = { 7, -1 };
	struct fixture fixture;

	(void)state;
	setup(&fixture, small_target(pair, sizeof(pair)));
	declare(&fixture, "struct pair { int a, b; };");
	assert_string_equal(
		fixture_json(&fixture, "10000::print struct pair b"),
		"{\"path\": \"b\", \"name\": \"b\", \"type\": \"int\", "
		"\"address\": \"0x10004\", \"offset\": 4, \"size\": 4, "
		"\"bit_offset\": null, \"bits\": null, "
		"\"value\": \"0xffffffff\", "
		"\"number\": \"0xffffffffffffffff\", \"depth\": 0}\n");
	fixture_deinit(&fixture);
}

/* --- knots -------------------------------------------------------------- */

/* No declaration can say these; a debug file can. */
static void knots_are_bounded(void **state)
{
	struct fixture fixture;
	char text[256];
	uint64_t size;

	(void)state;
	setup(&fixture, small_target("", 1));
	struct types *types = types_of(&fixture);
	struct type *array =
		type_array_of(types, type_pointer_to(types, NULL), UINT64_MAX);

	assert_false(type_size(array, &size)); /* not a product that wraps */
	declare(&fixture, "struct a; typedef struct a a_t;"
			  "struct a { struct a *self; };");
	const char *end;
	assert_ok(types_find(types, "struct a [10000000][10000000000000]", &end,
			     &array));
	assert_false(type_size(array, &size));
	for (int i = 0; i < 1000; i++)
		array = type_pointer_to(types, array);
	type_format(array, text, sizeof(text));
	assert_true(strlen(text) < sizeof(text));
	assert_prints(&fixture, "10000::print -L 'char [0xffffffffffff]'",
		      "[ \"\"... ]\n");
	fixture_deinit(&fixture);
}

/* --- the test's own types ----------------------------------------------- */

struct own {
	int number;
	const char *text;
	struct own *next;
};

struct own own_first = { 42, "own text", NULL };
struct own own_grid[2][2] = { { { 0 } }, { { 0 }, { 43, "last", NULL } } };

static void own_variables_have_types(void **state)
{
	struct fixture fixture;

	(void)state;
	own_first.next = &own_first;
	setup(&fixture, self_target_create(NULL));
	assert_prints(&fixture, "own_first::print -n number",
		      "number = 0x2a\n");
	assert_prints(&fixture, "::print -d own_first.next->number", "42\n");
	/* What the address is written as may know the type. */
	assert_prints(&fixture, "own_first.next::print -d number",
		      "number = 42\n");
	assert_prints(&fixture,
		      "((struct own *)own_first)::list next | ::count",
		      "       1\n");
	/* Inside an array it is the element's type that is known. */
	assert_prints(&fixture, "&own_grid[1][1]::print -d number",
		      "number = 43\n");
	assert_prints(&fixture, "&own_grid[1]::print -d [1].number",
		      "[1].number = 43\n");
	assert_complains(&fixture, "own_grid::print struct own [1].number",
			 "kdbg: ::print: [1].number: struct own is no array\n"
			 "usage: [object]::print [-aCdhiLnTtx] [-c n] [-l n] "
			 "[--raw] [-s n] [type | variable] [member ...]\n");
	assert_prints(&fixture, "::sizeof struct own",
		      "sizeof (struct own) = 0x18\n");
	assert_prints(&fixture,
		      "own_first::list next | ::print -d struct own "
		      "number",
		      "number = 42\n");
	fixture_deinit(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_is_the_compilers),
		cmocka_unit_test(bitfields_are_the_compilers),
		cmocka_unit_test(structures_are_printed),
		cmocka_unit_test(pipes_and_lists),
		cmocka_unit_test(what_is_wrong_is_told),
		cmocka_unit_test(json_has_a_row_for_each_member),
		cmocka_unit_test(knots_are_bounded),
		cmocka_unit_test(own_variables_have_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
