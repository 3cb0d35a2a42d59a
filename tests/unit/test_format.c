/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/format.h"
#include "tests/test_util.h"
#include "tests/unit/session_fixture.h"

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

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *value;
	char letter;
	const char *text;
} value_cases[] = {
	{ "1ff", 'b', "377" },
	{ "1ff", 'B', "ff" },
	{ "41", 'c', "A" },
	{ "a", 'C', "\\n" },
	{ "7", 'C', "\\a" },
	{ "1", 'C', "\\x01" },
	{ "0", 'C', "\\0" },
	{ "'\\\\'", 'C', "\\\\" },
	{ "ffff", 'd', "-1" },
	{ "ffffffff", 'D', "-1" },
	{ "7fffffff", 'D', "2147483647" },
	{ "-1", 'e', "-1" },
	{ "-1", 'E', "18446744073709551615" },
	{ "3f800000", 'f', "1" },
	{ "0t1.5", 'F', "1.5" },
	{ "-8", 'g', "-10" },
	{ "-1", 'G', "1777777777777777777777" },
	{ "1234", 'h', "3412" },
	{ "12345678", 'H', "78563412" },
	{ "-1", 'J', "ffffffffffffffff" },
	{ "1234567890", 'K', "1234567890" },
	{ "1234567890", 'Z', "1234567890" },
	{ "18", 'o', "30" },
	{ "18", 'O', "30" },
	{ "fff8", 'q', "-10" },
	{ "fffffff8", 'Q', "-10" },
	{ "5", 'R', "101" },
	{ "0", 'R', "0" },
	{ "ffff", 'u', "65535" },
	{ "ffffffff", 'U', "4294967295" },
	{ "ff", 'v', "-1" },
	{ "ff", 'V', "255" },
	{ "12345", 'w', "2345" },
	{ "12345", 'W', "12345" },
	{ "12345", 'x', "2345" },
	{ "1234567890", 'X', "34567890" },
	{ "0", 'y', "1970-01-01 00:00:00Z" },
	{ "ffffffff", 'Y', "1969-12-31 23:59:59Z" },
	{ "123", 'p', "0x123" },
	{ "123", 'P', "0x123" },
	{ "1", 'a', "0x1:" },
	{ "1", 'n', "" },
	{ "1", 'N', "" },
	{ "1", 'r', "" },
	{ "1", 't', "\t" },
	{ "1", 'T', "\t" },
};

static void every_letter_shows_a_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(value_cases); i++) {
		char text[64], wanted[64];

		snprintf(text, sizeof(text), "%s=%c", value_cases[i].value,
			 value_cases[i].letter);
		snprintf(wanted, sizeof(wanted), "%s\n", value_cases[i].text);
		print_message("%s\n", text);
		assert_prints(&fixture, text, wanted);
	}
}

/* In a letter's cases, what is read and where dot is then are told apart: each
 * is shown on bytes 00 01 02 ... 0f, and "+" after it. */
static const struct {
	char letter;
	const char *text;
	unsigned increment;
} memory_cases[] = {
	{ '+', "", 1 },
	{ '-', "", -1U },
	{ '^', "", -4U }, /* by the increment before: 4 */
	{ 'a', "0x10100:", 0 },
	{ 'b', "0", 1 },
	{ 'B', "0", 1 },
	{ 'c', "", 1 },
	{ 'C', "\\0", 1 },
	{ 'd', "256", 2 },
	{ 'D', "50462976", 4 },
	{ 'e', "506097522914230528", 8 },
	{ 'E', "506097522914230528", 8 },
	{ 'f', "3.82047143e-37", 4 },
	{ 'F', "7.9499288951273625e-275", 8 },
	{ 'g', "34060120200300400400", 8 },
	{ 'G', "34060120200300400400", 8 },
	{ 'h', "1", 2 },
	{ 'H', "10203", 4 },
	{ 'i', "addb    %al, (%rcx)", 2 },
	{ 'I', "10100: addb    %al, (%rcx)", 2 },
	{ 'J', "706050403020100", 8 },
	{ 'K', "706050403020100", 8 },
	{ 'l', "", 0 }, /* these three have cases of their own */
	{ 'L', "", 0 },
	{ 'M', "", 0 },
	{ 'n', "", 0 },
	{ 'N', "", 0 },
	{ 'o', "400", 2 },
	{ 'O', "300400400", 4 },
	{ 'p', "0x706050403020100", 8 },
	{ 'P', "0x706050403020100", 8 },
	{ 'q', "400", 2 },
	{ 'Q', "300400400", 4 },
	{ 'r', "", 0 },
	{ 'R', "11100000110000001010000010000000011000000100000000100000000",
	  8 },
	{ 's', "", 1 },
	{ 'S', "", 1 },
	{ 't', "", 0 },
	{ 'T', "", 0 },
	{ 'u', "256", 2 },
	{ 'U', "50462976", 4 },
	{ 'v', "0", 1 },
	{ 'V', "0", 1 },
	{ 'w', "100", 2 },
	{ 'W', "3020100", 4 },
	{ 'x', "100", 2 },
	{ 'X', "3020100", 4 },
	{ 'y', "506097522914230528", 8 }, /* no year has so many digits */
	{ 'Y', "1971-08-08 01:29:36Z", 4 },
	{ 'Z', "706050403020100", 8 },
};

static void every_letter_reads_its_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(memory_cases); i++) {
		char text[64], wanted[128];

		if (strchr("lLM", memory_cases[i].letter))
			continue;
		snprintf(text, sizeof(text), "10100/X; 10100/%c; +-10100=K",
			 memory_cases[i].letter);
		print_message("%s\n", text);
		fixture_run(&fixture, text);
		assert_string_equal(fixture_errors(&fixture), "");
		snprintf(wanted, sizeof(wanted), "%lx\n",
			 (unsigned long)(long)(int)memory_cases[i].increment);
		const char *shown = strchr(fixture.text, '\n') + 1;
		assert_non_null(strstr(shown, memory_cases[i].text));
		assert_string_equal(fixture.text + strlen(fixture.text) -
					    strlen(wanted),
				    wanted);
	}
}

/* Both tables have every letter there is. */
static void no_letter_is_without_a_case(void **state)
{
	(void)state;
	const struct format *formats;
	size_t count = format_letters(&formats);

	for (size_t i = 0; i < count; i++) {
		bool memory = false, value = false;

		for (size_t j = 0; j < COUNT_OF(memory_cases); j++)
			memory |= memory_cases[j].letter == formats[i].letter;
		for (size_t j = 0; j < COUNT_OF(value_cases); j++)
			value |= value_cases[j].letter == formats[i].letter;
		/* These say nothing of a value. */
		value |= strchr("+-^\"iIlLMsS", formats[i].letter) != NULL;
		print_message("%c\n", formats[i].letter);
		assert_true(value && (memory || formats[i].letter == '"'));
	}
}

static void every_letter_works_on_memory(void **state)
{
	(void)state;
	const struct format *formats;
	size_t count = format_letters(&formats);

	for (size_t i = 0; i < count; i++) {
		char text[64];

		if (formats[i].kind == FORMAT_TEXT)
			continue;
		snprintf(text, sizeof(text), "10010/%c%s", formats[i].letter,
			 formats[i].kind == FORMAT_MATCH ? " 0" : "");
		fixture_run(&fixture, text);
		assert_string_equal(fixture_errors(&fixture), "");
	}
}

struct prints_case {
	const char *text, *output;
};

static void assert_all_print(const struct prints_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		print_message("%s\n", cases[i].text);
		assert_prints(&fixture, cases[i].text, cases[i].output);
	}
}

static void memory_is_laid_out_behind_its_address(void **state)
{
	(void)state;
	static const struct prints_case cases[] = {
		{ "10000/X", "0x10000:        11111111\n" },
		{ "10000/", "0x10000:        11111111\n" },
		{ "10000/2J", "0x10000:        11111111        22222222\n" },
		{ "10100/4B", "0x10100:        0       1       2       3\n" },
		{ "10104/xX", "0x10104:        504     9080706\n" },
		{ "10000,2/JnJn", "0x10000:        11111111\n"
				  "0x10008:        22222222\n"
				  "0x10010:        33333333\n"
				  "0x10018:        44444444\n" },
		/* a full line begins a new one */
		{ "10000/6J",
		  "0x10000:        11111111        22222222        33333333"
		  "        44444444\n"
		  "0x10020:        55555555        66666666\n" },
		{ "10040/s", "0x10040:        hello\\x0a\\x1b!\n" },
		{ "10040/S", "0x10040:        hello\\n\\e!\n" },
		{ "10040/5c", "0x10040:        hello\n" },
		{ "10040/6C", "0x10040:        hello\\n\n" },
		{ "10141/2cr\"x\"tV", "0x10141:        AB x\t67\n" },
		{ "10000/L 22222222", "0x10008:        22222222\n" },
		{ "10000/L 2222 ffff; ./X",
		  "0x10008:        22222222\n0x10008:        22222222\n" },
		{ "10001/l 605", "0x10105:        605\n" },
		{ "10100/l 504 fffe", "0x10104:        504\n" },
		{ "10100/M 0f0e0d0c0b0a0908 | =X", "10108\n" },
		{ "10190/i", "0x10190:        nop\n" },
		{ "101c3,2/i", "0x101c3:        retq\n"
			       "0x101c4:        (bad)\n" },
		{ "101c3/I", "101c3: retq\n" },
		{ "10100/+B", "0x10101:        1\n" },
		{ "10100/4+B2-B", "0x10104:        4       3\n" },
		{ "10100/$[2+1]B", "0x10100:        0       1       2\n" },
		{ "10000/Ja", "0x10000:        11111111        0x10008:\n" },
		{ "10100/\"v=\"V", "v=0\n" },
		{ "10000/J;.=K;+=K", "0x10000:        11111111\n"
				     "10000\n10008\n" },
		{ "10000/J;+/J;+/J;^=K", "0x10000:        11111111\n"
					 "0x10008:        22222222\n"
					 "0x10010:        33333333\n"
					 "10008\n" },
		{ "10000,3/J;.=K", "0x10000:        11111111        22222222"
				   "        33333333\n10010\n" },
		{ "10000/K | =K", "11111111\n" },
		{ "10000/2K | =K", "11111111\n22222222\n" },
	};

	assert_all_print(cases, COUNT_OF(cases));
}

static void unreadable_memory_is_an_error(void **state)
{
	(void)state;
	fixture_run(&fixture, "101f8/3J");
	assert_string_equal(fixture.text, "0x101f8:        fffefdfcfbfaf9f8\n");
	assert_non_null(strstr(fixture_errors(&fixture), "0x10200"));
	assert_int_equal(fixture.session.status, 1);
	assert_complains(&fixture, "1000a?X",
			 "kdbg: ? reads files, / memory: 0x1000a: of no "
			 "module\n");
	assert_complains(&fixture, "5=s", "kdbg: s shows memory: use /s\n");
}

static void json_has_a_row_for_each_value(void **state)
{
	(void)state;
	assert_string_equal(
		fixture_json(&fixture, "10000/Jn38+3C"),
		"{\"addr\": \"0x10000\", \"value\": \"0x11111111\", "
		"\"text\": \"11111111\"}\n"
		"{\"addr\": \"0x1002e\", \"value\": null, "
		"\"text\": \"\\\\0\\\\0w\"}\n");
	assert_string_equal(fixture_json(&fixture, "10=DX"),
			    "{\"addr\": null, \"value\": \"0x10\", "
			    "\"text\": \"16\"}\n"
			    "{\"addr\": null, \"value\": \"0x10\", "
			    "\"text\": \"10\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_letter_shows_a_value,
						setup, teardown),
		cmocka_unit_test_setup_teardown(every_letter_reads_its_size,
						setup, teardown),
		cmocka_unit_test(no_letter_is_without_a_case),
		cmocka_unit_test_setup_teardown(every_letter_works_on_memory,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			memory_is_laid_out_behind_its_address, setup, teardown),
		cmocka_unit_test_setup_teardown(unreadable_memory_is_an_error,
						setup, teardown),
		cmocka_unit_test_setup_teardown(json_has_a_row_for_each_value,
						setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
