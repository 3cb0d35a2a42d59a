/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands that know nothing of heaps. */
#include "kdbg/dcmds/dcmds.h"
#include "tests/test_util.h"
#include "tests/unit/session_fixture.h"

#include <stdlib.h>
#include <string.h>

/* Walker "three" yields 10, 11, 12; "from" the three after its address. */
static struct err *three_walk(struct session *session, bool has_address,
			      uint64_t address, walk_fn *each, void *context)
{
	(void)session;
	for (uint64_t i = 0; i < 3; i++)
		if (!each(context, (has_address ? address : 0x10) + i))
			break;
	return NULL;
}

static struct err *broken_walk(struct session *session, bool has_address,
			       uint64_t address, walk_fn *each, void *context)
{
	(void)session, (void)has_address, (void)address;
	each(context, 1);
	return err_new(ERR_CORRUPT, "the list loops");
}

static const char *const three_aliases[] = { "trio", NULL };
static const struct walker three = { .name = "three",
				     .aliases = three_aliases,
				     .summary = "three values",
				     .walk = three_walk };
static const struct walker from = { .name = "from",
				    .summary = "three values",
				    .address_use = ADDRESS_REQUIRED,
				    .address_is = "start",
				    .walk = three_walk };
static const struct walker broken = { .name = "broken",
				      .summary = "a loop",
				      .address_use = ADDRESS_OPTIONAL,
				      .address_is = "list",
				      .walk = broken_walk };
static const struct walker *const walkers[] = { &broken, &from, &three, NULL };

static struct fixture fixture;

static int setup(void **state)
{
	(void)state;
	fixture_init(&fixture, dcmd_table, walkers);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_deinit(&fixture);
	return 0;
}

struct prints_case {
	const char *text, *output;
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define ROW(digits) "00000000000000" digits "\n"

static void assert_all_print(const struct prints_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		print_message("%s\n", cases[i].text);
		assert_prints(&fixture, cases[i].text, cases[i].output);
	}
}

static void assert_all_complain(const struct prints_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		print_message("%s\n", cases[i].text);
		fixture_run(&fixture, cases[i].text);
		assert_non_null(
			strstr(fixture_errors(&fixture), cases[i].output));
		assert_int_equal(fixture.session.status, 1);
	}
}

static void walk_runs_walkers(void **state)
{
	(void)state;
	static const struct prints_case cases[] = {
		{ "::walk three", ROW("10") ROW("11") ROW("12") },
		{ "::walk trio | ::head 1", ROW("10") },
		{ "20::walk from", ROW("20") ROW("21") ROW("22") },
		{ "::walk three x | ::walk from | ::grep .==<x",
		  ROW("10") ROW("11") ROW("12") },
	};
	static const struct prints_case mistakes[] = {
		{ "::walk", "which walker? ::walkers lists them" },
		{ "::walk thre", "unknown walker thre (did you mean three?)" },
		{ "::walk from",
		  "walker from needs the address of a start before ::" },
		{ "1::walk three", "walker three takes no address" },
		{ "::walk broken", "walker broken: the list loops" },
		{ "::walk three x y", "usage: [address]::walk" },
	};

	assert_all_print(cases, COUNT_OF(cases));
	assert_all_complain(mistakes, COUNT_OF(mistakes));
	/* what a broken walk found is shown before its error */
	assert_string_equal(fixture_run(&fixture, "::walk broken"), ROW("01"));
}

static void filters_choose_and_change(void **state)
{
	(void)state;
	static const struct prints_case cases[] = {
		{ "::walk three | ::grep (.>10)", ROW("11") ROW("12") },
		{ "::walk three | ::grep '. == 11'", ROW("11") },
		{ "::walk three | ::grep 0", "" },
		{ "::walk three | ::map .*10", "0000000000000100\n"
					       "0000000000000110\n"
					       "0000000000000120\n" },
		{ "::walk three | ::head -n 2", ROW("10") ROW("11") },
		{ "::walk three | ::head", ROW("10") ROW("11") ROW("12") },
		{ "::walk three | ::eval .=D", "16\n17\n18\n" },
		{ "::walk three | ::eval '5' ", "" },
		{ "::eval '1=D;2=D'", "1\n2\n" },
		{ "::echo 1 2 3 | ::map .+1 | =D", "2\n3\n4\n" },
		{ "::echo a 'b  c' $[1+1]", "a b  c 0x2\n" },
		{ "::echo", "\n" },
		{ "::walk three | ::echo n", "n\nn\nn\n" },
	};
	static const struct prints_case mistakes[] = {
		{ "::walk three | ::grep", "one expression: quote it" },
		{ "::walk three | ::map . .", "one expression: quote it" },
		{ "::walk three | ::grep 1+", "::grep: '1+': a value is" },
		{ "::walk three | ::map '::echo 1 ! cat'",
		  "nothing comes back from a shell" },
		{ "::echo zz | =D", "::echo: 'zz': " },
		{ "1::count a", "takes no argument" },
		{ "::head", "needs the address of a value" },
	};

	assert_all_print(cases, COUNT_OF(cases));
	assert_all_complain(mistakes, COUNT_OF(mistakes));
}

static void dump_shows_bytes(void **state)
{
	(void)state;
	static const char header[] =
		"                   \\/ 1 2 3  4 5 6 7  8 9 a b  c d e f  "
		"v123456789abcdef\n";
	static const struct {
		const char *text, *rows;
	} cases[] = {
		{ "10140::dump",
		  "           10140:  40414243 44454647 48494a4b "
		  "4c4d4e4f  @ABCDEFGHIJKLMNO\n" },
		{ "10140,11::dump",
		  "           10140:  40414243 44454647 48494a4b "
		  "4c4d4e4f  @ABCDEFGHIJKLMNO\n"
		  "           10150:  50515253 54555657 58595a5b "
		  "5c5d5e5f  PQRSTUVWXYZ[\\]^_\n" },
		{ "10140::dump -e", "           10140:  43424140 47464544 "
				    "4b4a4948 4f4e4d4c  @ABCDEFGHIJKLMNO\n" },
		{ "10140::dump -r -l 4",
		  "               0:  40414243 44454647 48494a4b 4c4d4e4f  "
		  "@ABCDEFGHIJKLMNO\n" },
		{ "10140::dump -t -l 2",
		  "           10140:  4041                                 "
		  "@A\n" },
		{ "10050::dump -s -l 50",
		  "           10050:  00000000 00000000 00000000 00000000  "
		  "................\n*\n" },
	};
	char wanted[400];

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		snprintf(wanted, sizeof(wanted), "%s%s", header, cases[i].rows);
		print_message("%s\n", cases[i].text);
		assert_prints(&fixture, cases[i].text, wanted);
	}
}

static void dump_marks_the_address_and_groups(void **state)
{
	(void)state;
	static const struct prints_case cases[] = {
		{ "10143::dump",
		  "                    0 1 2\\/  4 5 6 7  8 9 a b  c d e f  "
		  "012v456789abcdef\n"
		  "           10140:  40414243 44454647 48494a4b 4c4d4e4f  "
		  "@ABCDEFGHIJKLMNO\n" },
		{ "10143::dump -u",
		  "                   \\/ 4 5 6  7 8 9 a  b c d e  f 0 1 2  "
		  "v456789abcdef012\n"
		  "           10143:  43444546 4748494a 4b4c4d4e 4f505152  "
		  "CDEFGHIJKLMNOPQR\n" },
		{ "10140::dump -q -g 8",
		  "                   \\/ 1 2 3 4 5 6 7  8 9 a b c d e f\n"
		  "           10140:  4041424344454647 48494a4b4c4d4e4f\n" },
		{ "101f8,18::dump -g 2",
		  "                    0 1  2 3  4 5  6 7 \\/ 9  a b  c d  e "
		  "f  01234567v9abcdef\n"
		  "           101f0:  f0f1 f2f3 f4f5 f6f7 f8f9 fafb fcfd "
		  "feff  ................\n"
		  "           10200:\n"
		  "16 bytes are not in the target\n" },
	};
	static const struct prints_case mistakes[] = {
		{ "5::dump", "0x5" },
		{ "10140::dump -g 3", "a group is 1, 2, 4 or 8 bytes" },
		{ "10140::dump -w 11", "a line is 1 to 0x10 paragraphs" },
		{ "ffffffffffffffff,11::dump", "goes past the end" },
	};

	assert_all_print(cases, COUNT_OF(cases));
	assert_all_complain(mistakes, COUNT_OF(mistakes));
	assert_string_equal(
		fixture_json(&fixture, "10140::dump -g 8"),
		"{\"addr\": \"0x10140\", \"bytes\": \"4041424344454647 "
		"48494a4b4c4d4e4f\", \"text\": \"@ABCDEFGHIJKLMNO\"}\n");
}

static void lists_are_put_in_order_and_counted(void **state)
{
	(void)state;
	static const struct prints_case cases[] = {
		{ "::echo 3 1 2 | ::sort", ROW("01") ROW("02") ROW("03") },
		{ "::echo 3 1 2 | ::sort -r", ROW("03") ROW("02") ROW("01") },
		{ "::echo 13 21 12 | ::sort .&f",
		  ROW("21") ROW("12") ROW("13") },
		{ "::echo 23 11 13 | ::sort -u .&f", ROW("11") ROW("23") },
		{ "::echo 1 1 2 1 | ::uniq", ROW("01") ROW("02") ROW("01") },
		{ "::echo 1 1 2 | ::uniq -c", "   COUNT ADDR\n"
					      "       2 0000000000000001\n"
					      "       1 0000000000000002\n" },
		{ "::echo 5 7 6 7 6 7 | ::top -n 2",
		  "   COUNT ADDR\n"
		  "       3 0000000000000007\n"
		  "       2 0000000000000006\n" },
		{ "::echo 13 23 1 | ::top -n 1 .&f | =X", "3\n" },
		{ "::echo 1 2 3 | ::tail -n 2", ROW("02") ROW("03") },
		{ "::echo 1 2 3 | ::tail", ROW("01") ROW("02") ROW("03") },
		{ "::echo 1 2 3 | ::count", "       3\n" },
		{ "::echo 1 2 3 | ::grep 0 | ::count", "       0\n" },
		{ "::echo 1 2 3 | ::count | =D", "3\n" },
		{ "::echo 1 2 f | ::sum | =X", "12\n" },
		{ "::echo 1 2 f | ::sum .*2 | =X", "24\n" },
		{ "::echo 1 2 | ::tee /dev/null", ROW("01") ROW("02") },
		{ "::set pager syntax wide",
		  "NAME             VALUE      MEANING\n"
		  "pager            off        output longer than the terminal "
		  "goes through $PAGER\n"
		  "syntax           att        of instructions, in ::dis and "
		  "/i\n"
		  "wide             off        all columns of tables\n" },
		{ "0t132$w; ::set wide +o wide -o width=terminal wide",
		  "NAME             VALUE      MEANING\n"
		  "wide             on         all columns of tables\n"
		  "wide             off        all columns of tables\n" },
		{ "101c3/i; ::set syntax=intel; 101c3/i; ::set syntax=att",
		  "0x101c3:        retq\n0x101c3:        ret\n" },
	};
	static const struct prints_case mistakes[] = {
		{ "::sort", "needs the address of a value" },
		{ "::count", "needs the address of a value" },
		{ "::echo 1 | ::sort . .", "one expression" },
		{ "::echo 1 | ::sum 1+", "::sum: '1+': a value is" },
		{ "::echo 1 | ::tee", "the name of one file" },
		{ "::echo 1 | ::tee /nowhere/x", "/nowhere/x: No such file" },
		{ "::set syntax=masm", "syntax is att or intel" },
		{ "::source /dev/zero", "/dev/zero:1: a line of more than" },
		{ "::source /nowhere/x", "/nowhere/x: No such file" },
		{ "::set colour=on", "no setting is called colour" },
		{ "::set -o", "-o needs the name of a setting" },
		{ "::set -o syntax", "syntax is att or intel" },
		{ "::set -s", "-s needs a value" },
		{ "::set -x", "unknown option -x" },
		{ "1::set", "for which setting?" },
		{ "1::set pager", "pager is no number" },
		{ "::set width=nothing", "width: 'nothing'" },
	};

	assert_all_print(cases, COUNT_OF(cases));
	assert_all_complain(mistakes, COUNT_OF(mistakes));
}

static void memory_is_searched(void **state)
{
	(void)state;
	static const struct prints_case cases[] = {
		{ "::ugrep --string hello", "0000000000010040\n" },
		{ "::ugrep --bytes 'feff'", "00000000000101fe\n" },
		{ "::ugrep --bytes 'fe ff' | =X", "101fe\n" },
		{ "22222222::ugrep", "0000000000010008\n" },
		{ "22222220::ugrep -d 3", "0000000000010008\n" },
		{ "22222220::ugrep -d 2", "" },
		{ "6362::ugrep -s 2", "0000000000010162\n" },
		{ "6261::ugrep -s 2", "" },
		{ "6261::ugrep -s 2 -u", "0000000000010161\n" },
		{ "44::ugrep -s 1 -a 10100 -A 10144", "" },
		{ "44::ugrep -s 1 -a 10100 -A 10145", "0000000000010144\n" },
		{ "6c::ugrep -s 1 -M 1 -a 10140",
		  "000000000001016c\n000000000001016d\n" },
	};
	static const struct prints_case mistakes[] = {
		{ "::ugrep", "what to look for" },
		{ "1::ugrep -s 3", "a word is 1, 2, 4 or 8 bytes" },
		{ "1::ugrep -m 1 -d 1", "at most one of -d, -m and -M" },
		{ "::ugrep --bytes 123", "two hexadecimal digits" },
		{ "::ugrep --bytes ''", "no bytes to look for" },
		{ "::ugrep --string ''", "no text to look for" },
		{ "::ugrep --string a --bytes 00", "either --string" },
	};

	assert_all_print(cases, COUNT_OF(cases));
	assert_all_complain(mistakes, COUNT_OF(mistakes));
	assert_prints(&fixture, "22222222::ugrep -v",
		      "ADDR             VALUE            IN\n"
		      "0000000000010008 0000000022222222 unknown\n");
}

static void variables_are_listed_and_forgotten(void **state)
{
	(void)state;
	assert_prints(&fixture, "1>b;0>a;::vars",
		      "NAME             VALUE\n"
		      "a                0000000000000000\n"
		      "b                0000000000000001\n");
	assert_prints(&fixture, "$v -n",
		      "NAME             VALUE\n"
		      "b                0000000000000001\n");
	assert_prints(&fixture, "::typeset -r b", "");
	assert_complains(&fixture, "2>b", "kdbg: variable b is read-only\n");
	assert_prints(&fixture, "7; ::typeset b c; 3>b; <b=D; <c=D", "3\n7\n");
	assert_prints(&fixture, "::typeset -t b; ::vars -tp; <0=D",
		      "0x3>b\n7\n");
	assert_prints(&fixture, "::typeset +t b; ::vars -t", "");
	assert_prints(&fixture, "::unset a b c;::vars -n", "");
	assert_complains(&fixture, "::unset b",
			 "kdbg: ::unset: variable 'b' is not set\n");
}

static void radix_is_for_input(void **state)
{
	(void)state;
	assert_prints(&fixture, "$d", "   RADIX\n      16\n");
	assert_prints(&fixture, "0t10::radix; 10=X", "a\n");
	assert_complains(&fixture, "0x11$d",
			 "kdbg: ::radix: a radix is 2 to 16 (0t10 is ten, 10 "
			 "sixteen)\nusage: [radix]::radix\n");
	assert_prints(&fixture, "0t16::radix; 10=D", "16\n");
}

static void files_are_commands_or_values(void **state)
{
	(void)state;
	char path[] = "/tmp/kdbg-test-XXXXXX", text[100], wanted[200];
	int fd = mkstemp(path);
	FILE *stream = fdopen(fd, "w");

	fputs("1=D // one\n\n5\n.=D\n", stream);
	fclose(stream);
	snprintf(text, sizeof(text), "$<%s", path);
	assert_prints(&fixture, text, "1\n5\n");
	snprintf(text, sizeof(text), "! echo 10 > %s; ::cat %s | =D", path,
		 path);
	assert_prints(&fixture, text, "16\n");
	remove(path);
	snprintf(text, sizeof(text), "::source %s", path);
	snprintf(wanted, sizeof(wanted),
		 "kdbg: ::source: %s: No such file or directory\n", path);
	assert_complains(&fixture, text, wanted);
}

static void a_log_is_for_the_prompt(void **state)
{
	(void)state;
	assert_prints(&fixture, "::log", "LOG\noff\n");
	assert_prints(&fixture, "::log -d", "");
	fixture_run(&fixture, "$>/nowhere/log");
	assert_non_null(strstr(fixture_errors(&fixture), "only at the prompt"));
	fixture.session.interactive = true;
	fixture_run(&fixture, "$>/nowhere/log");
	assert_non_null(
		strstr(fixture_errors(&fixture), "/nowhere/log: No such file"));
}

static void quit_ends_the_line(void **state)
{
	(void)state;
	assert_prints(&fixture, "1=D; $q; 2=D", "1\n");
	assert_true(fixture.session.quit);
}

static void help_finds_its_way(void **state)
{
	(void)state;
	fixture_run(&fixture, "::help");
	assert_non_null(strstr(fixture.text, "\nwalkers "));
	fixture_run(&fixture, "::help ::from");
	assert_string_equal(fixture.text, "from - walker: three values\n"
					  "usage: start::walk from\n");
	assert_complains(&fixture, "::help wlak",
			 "kdbg: ::help: no command or walker wlak (did you "
			 "mean walk?)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(walk_runs_walkers, setup,
						teardown),
		cmocka_unit_test_setup_teardown(filters_choose_and_change,
						setup, teardown),
		cmocka_unit_test_setup_teardown(dump_shows_bytes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			dump_marks_the_address_and_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(
			lists_are_put_in_order_and_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_is_searched, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			variables_are_listed_and_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(radix_is_for_input, setup,
						teardown),
		cmocka_unit_test_setup_teardown(files_are_commands_or_values,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_log_is_for_the_prompt, setup,
						teardown),
		cmocka_unit_test_setup_teardown(quit_ends_the_line, setup,
						teardown),
		cmocka_unit_test_setup_teardown(help_finds_its_way, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
