/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is offered at the end of a line, on this test's own variables. */
#include "kdbg/complete.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/variables.h"
#include "tests/test_util.h"
#include "tests/unit/self_target.h"
#include "tests/unit/session_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct completed_item {
	int number;
	struct {
		long inner_number;
	};
	struct completed_item *other;
	struct completed_pair {
		short first_half, second_half;
	} pair, pairs[3];
};
typedef struct completed_item completed_item_t;

completed_item_t completed_variable = { .number = 1 };
completed_item_t *completed_pointer = &completed_variable;

static struct fixture fixture;
static char found[4096];

static int setup(void **state)
{
	(void)state;
	completed_variable.other = completed_pointer;
	fixture_init_on(&fixture, self_target_create(NULL), dcmd_table,
			walker_table);
	assert_ok(variables_set(fixture.session.variables, "my_variable", 1));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_deinit(&fixture);
	return 0;
}

/* Each word once, in the order found. */
static void collect(void *context, const char *word)
{
	char with_blanks[256];

	(void)context;
	snprintf(with_blanks, sizeof(with_blanks), " %s ", word);
	if (strstr(found, with_blanks) || strlen(found) + 300 > sizeof(found))
		return;
	strcat(found, with_blanks + 1);
}

/* The word that readline would find: what separates words is prompt.c's. */
static size_t word_start(const char *line)
{
	size_t at = strlen(line);

	while (at && !strchr(" |;!,=/?>+-*%#~&^()[]<'\"$:", line[at - 1]))
		at--;
	return at;
}

static void offer(const char *line)
{
	static const struct completer completer = { collect, NULL };

	strcpy(found, " ");
	complete(&fixture.session, line, word_start(line), &completer);
}

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void what_can_stand_there_is_offered(void **state)
{
	(void)state;
	static const struct {
		const char *line, *offered;
	} cases[] = {
		{ "::findl", " findleaks " },
		{ "::walk x | ::ws", " " },
		{ "::kmast", " kmastat " },
		{ "::help findl", " findleaks " },
		{ "::help leakb", " leakbuf " },
		{ "::walk leakb", " leakbuf " },
		{ "1::print -", " a C c d h i L l n s T t x " },
		{ "1::print --no", " no-symbols " },
		{ "::unset my_v", " my_variable " },
		{ "::set wi", " wide=off wide=on width= " },
		{ "::set pager=", " off on " },
		{ "::kmalog f", " fail " },
		{ "<my_v", " my_variable " },
		{ "<r1", " r10 r11 r12 r13 r14 r15 " },
		{ "streq", " streq( " },
		{ "::print struct completed_i",
		  " completed_item completed_item_t " },
		{ "::print completed_item_", " completed_item_t " },
		{ "::print -d struct completed_p", " completed_pair " },
		{ "::sizeof struct completed_item in", " inner_number " },
		{ "1::print struct completed_item num", " number " },
		{ "1::print struct completed_item .num", " .number " },
		{ "1::print completed_item_t pa", " pair pairs " },
		{ "1::print completed_item_t pair.f", " pair.first_half " },
		{ "1::print completed_item_t other->o", " other " },
		{ "1::print completed_item_t pairs[1].s", " .second_half " },
		{ "1::print completed_item_t number oth", " other " },
		{ "::print completed_variable.nu",
		  " completed_variable.number " },
		{ "::print completed_pointer->in", " inner_number " },
		{ "completed_variable::print oth", " other " },
		{ "completed_variable::list o", " other " },
		{ "1::printf '%d %s' completed_item_t oth", " other " },
		{ "completed_variable.nu", " completed_variable.number " },
		{ "completed_pointer->oth", " other " },
		{ "completed_variable.other->pair.fi", " pair.first_half " },
		{ "completed_variable.pairs[1].fi", " .first_half " },
		{ "((struct completed_item *)1000)->inn", " inner_number " },
		{ "1+completed_pointer->inn", " inner_number " },
		{ "::echo $[completed_pointer->inn", " inner_number " },
		{ "completed_variable.number.x", " " },
		{ "completed_poi", " completed_pointer " },
		{ "::whatis completed_poi", " completed_pointer " },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		print_message("%s\n", cases[i].line);
		offer(cases[i].line);
		assert_string_equal(found, cases[i].offered);
	}
}

/* Whatever of a path readline takes for a word. */
static void files_are_offered(void **state)
{
	(void)state;
	static const struct {
		const char *line, *offered;
	} cases[] = {
		{ "::load %s/on", " one-file " },
		{ "::load %s/one-f", " file " },
		{ "$<%s/on", " one-file " },
		{ "5,6$<<%s/tw", " two.d/ " },
		{ "::log %s/two.d/", " three " },
		{ "::gcore -o %s/on", " one-file " },
		{ "::diff old %s/.h", " .hidden " },
		{ "::diff %s/nothing/x", " " },
		{ "::set %s/on", " " },
	};
	static const char *const files[] = { "one-file", ".hidden", "two.d",
					     "two.d/three" };
	char folder[] = "/tmp/complete_XXXXXX", text[256];

	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		snprintf(text, sizeof(text), "%s/%s", folder, files[i]);
		if (strcmp(files[i], "two.d") == 0)
			assert_int_equal(mkdir(text, 0700), 0);
		else
			assert_int_equal(close(open(text, O_CREAT, 0600)), 0);
	}
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		snprintf(text, sizeof(text), cases[i].line, folder);
		print_message("%s\n", text);
		offer(text);
		assert_string_equal(found, cases[i].offered);
	}
	for (size_t i = COUNT_OF(files); i-- > 0;) {
		snprintf(text, sizeof(text), "%s/%s", folder, files[i]);
		remove(text);
	}
	assert_int_equal(rmdir(folder), 0);
}

/* Every beginning of lines that make sense, and of some that do not. */
static void any_line_can_be_typed(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"((struct completed_item *)completed_variable)->other[0].x",
		"1::print struct completed_item pairs[2].first_half ! less",
		"]]->x)).y[[(->",
		"::::print -- ::",
		"1::printf '%d completed",
		"container(1, struct completed_item, pa)->o",
	};

	for (size_t i = 0; i < COUNT_OF(lines); i++)
		for (size_t length = 0; length <= strlen(lines[i]); length++) {
			char text[256];

			snprintf(text, sizeof(text), "%.*s", (int)length,
				 lines[i]);
			offer(text);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_can_stand_there_is_offered,
						setup, teardown),
		cmocka_unit_test_setup_teardown(files_are_offered, setup,
						teardown),
		cmocka_unit_test_setup_teardown(any_line_can_be_typed, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
