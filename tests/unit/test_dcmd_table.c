/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A command that could not be explained, called, or told from another is not
 * let in. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/see_also.h"
#include "kdbg/usage.h"
#include "tests/test_util.h"
#include "tests/unit/session_fixture.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void assert_sentence(const char *name, const char *what,
			    const char *text)
{
	if (!text || !*text)
		fail_msg("%s has no %s", name, what);
}

static void assert_summary(const char *name, const char *summary)
{
	assert_sentence(name, "summary", summary);
	if (summary[strlen(summary) - 1] == '.' || strchr(summary, '\n') ||
	    strlen(summary) > 72)
		fail_msg("%s: the summary is one line without full stop", name);
}

static bool is_name(const char *name)
{
	if (!name || !*name)
		return false;
	if (*name == '$' || *name == ':')
		return strcspn(name, " ") <= 3;
	for (; *name && *name != ' '; name++) /* an alias's words follow */
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

struct names {
	const char *names[1000];
	size_t count;
};

static void add_name(struct names *names, const char *name)
{
	assert_true(names->count < 1000);
	if (!is_name(name))
		fail_msg("'%s' is no name", name);
	for (size_t i = 0; i < names->count; i++)
		if (strcspn(names->names[i], " ") == strcspn(name, " ") &&
		    strncmp(names->names[i], name, strcspn(name, " ")) == 0)
			fail_msg("two are called '%s'", name);
	names->names[names->count++] = name;
}

static void add_names(struct names *names, const char *name,
		      const char *const *aliases)
{
	add_name(names, name);
	for (; aliases && *aliases; aliases++)
		add_name(names, *aliases);
}

static void commands_explain_themselves(void **state)
{
	(void)state;
	for (size_t i = 0; dcmd_table[i]; i++) {
		const struct dcmd *dcmd = dcmd_table[i];

		assert_sentence("a command", "name", dcmd->name);
		assert_summary(dcmd->name, dcmd->summary);
		assert_sentence(dcmd->name, "help", dcmd->help);
		assert_sentence(dcmd->name, "example", dcmd->example);
		if (!strstr(dcmd->example, dcmd->name))
			fail_msg("%s: the example is of another", dcmd->name);
		if (!dcmd->run)
			fail_msg("%s does nothing", dcmd->name);
		if (dcmd->address_use == ADDRESS_REQUIRED && !dcmd->address_is)
			fail_msg("%s: the address of what?", dcmd->name);
	}
}

static void walkers_explain_themselves(void **state)
{
	(void)state;
	for (size_t i = 0; walker_table[i]; i++) {
		const struct walker *walker = walker_table[i];

		assert_summary(walker->name, walker->summary);
		if (!walker->walk)
			fail_msg("%s does nothing", walker->name);
		if (walker->address_use != ADDRESS_NONE && !walker->address_is)
			fail_msg("%s: the address of what?", walker->name);
	}
}

static void names_are_unique(void **state)
{
	(void)state;
	static struct names dcmds, walkers;

	for (size_t i = 0; dcmd_table[i]; i++)
		add_names(&dcmds, dcmd_table[i]->name, dcmd_table[i]->aliases);
	for (size_t i = 0; walker_table[i]; i++)
		add_names(&walkers, walker_table[i]->name,
			  walker_table[i]->aliases);
}

static void tables_are_sorted(void **state)
{
	(void)state;
	for (size_t i = 1; dcmd_table[i]; i++)
		if (strcmp(dcmd_table[i - 1]->name, dcmd_table[i]->name) >= 0)
			fail_msg("%s comes too late", dcmd_table[i]->name);
	for (size_t i = 1; walker_table[i]; i++)
		if (strcmp(walker_table[i - 1]->name, walker_table[i]->name) >=
		    0)
			fail_msg("%s comes too late", walker_table[i]->name);
}

static size_t option_size(enum option_kind kind)
{
	return kind == OPTION_FLAG ? sizeof(bool) : sizeof(uint64_t);
}

static void check_option(const struct dcmd *dcmd, const struct option *option)
{
	if (!option->letter && !option->name)
		fail_msg("%s has an option without a name", dcmd->name);
	if (option->letter && !isalnum((unsigned char)option->letter))
		fail_msg("%s: option '%c'", dcmd->name, option->letter);
	if (option->offset + option_size(option->kind) > dcmd->options_size)
		fail_msg("%s: an option lies outside the structure",
			 dcmd->name);
	if ((option->kind == OPTION_FLAG) != !option->argument)
		fail_msg("%s: an option's argument needs a name, and a flag "
			 "has none",
			 dcmd->name);
	assert_sentence(dcmd->name, "help for an option", option->help);
}

static bool same_option(const struct option *a, const struct option *b)
{
	return (a->letter && a->letter == b->letter) ||
	       (a->name && b->name && strcmp(a->name, b->name) == 0);
}

static void options_are_sane(void **state)
{
	(void)state;
	for (size_t i = 0; dcmd_table[i]; i++) {
		const struct dcmd *dcmd = dcmd_table[i];

		for (size_t j = 0; j < dcmd->option_count; j++) {
			check_option(dcmd, &dcmd->options[j]);
			for (size_t k = 0; k < j; k++)
				if (same_option(&dcmd->options[j],
						&dcmd->options[k]))
					fail_msg("%s: option %c twice",
						 dcmd->name,
						 dcmd->options[j].letter);
		}
	}
}

enum { TERMINAL = 80 };

static void check_table(const struct dcmd *dcmd, const struct table *table)
{
	struct names keys = { .count = 0 };
	char texts[64][64];

	assert_sentence(dcmd->name, "name for a table", table->name);
	assert_in_range(table->column_count, 1, 64);
	if (!table->no_header && strcmp(table->name, "JSON") != 0 &&
	    table_text_width(table) > TERMINAL)
		fail_msg("%s: table %s takes %zu columns", dcmd->name,
			 table->name, table_text_width(table));
	for (size_t i = 0; i < table->column_count; i++) {
		assert_sentence(dcmd->name, "name for a column",
				table->columns[i].name);
		sink_json_key(table->columns[i].name, texts[i],
			      sizeof(texts[i]));
		add_name(&keys, texts[i]);
	}
}

static void columns_are_named_and_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; dcmd_table[i]; i++)
		for (size_t j = 0; j < dcmd_table[i]->table_count; j++)
			check_table(dcmd_table[i], &dcmd_table[i]->tables[j]);
}

/* Runs of blanks and newlines as one blank: lines may be broken anywhere. */
static char *flat(const char *text)
{
	char *copy = malloc(strlen(text) + 1), *to = copy;

	assert_non_null(copy);
	for (; *text; text++)
		if (!isspace((unsigned char)*text))
			*to++ = *text;
		else if (to > copy && to[-1] != ' ')
			*to++ = ' ';
	*to = '\0';
	return copy;
}

static void assert_says(const char *page, const char *what)
{
	char *wanted = flat(what);

	if (!strstr(page, wanted))
		fail_msg("'%s' is not in: %s", wanted, page);
	free(wanted);
}

static void help_shows_every_page(void **state)
{
	(void)state;
	struct fixture fixture;

	fixture_init(&fixture, dcmd_table, walker_table);
	for (size_t i = 0; dcmd_table[i]; i++) {
		const struct dcmd *dcmd = dcmd_table[i];
		char text[100], usage[512];

		snprintf(text, sizeof(text), "::help %s", dcmd->name);
		usage_line(dcmd, usage, sizeof(usage));
		fixture_run(&fixture, text);
		assert_string_equal(fixture_errors(&fixture), "");
		char *page = flat(fixture.text);
		assert_says(page, usage);
		assert_says(page, dcmd->example);
		assert_says(page, dcmd->summary);
		for (size_t j = 0; j < dcmd->option_count; j++)
			assert_says(page, dcmd->options[j].help);
		free(page);
	}
	fixture_deinit(&fixture);
}

static bool is_command(const char *name, size_t length)
{
	for (size_t i = 0; dcmd_table[i]; i++)
		if (strlen(dcmd_table[i]->name) == length &&
		    strncmp(dcmd_table[i]->name, name, length) == 0)
			return true;
	return false;
}

/* What a page says to see is there. */
static void related_commands_exist(void **state)
{
	const struct see_also_group *group;

	(void)state;
	for (size_t i = 0; (group = see_also_group(i)); i++) {
		const char *name = group->names;

		while (*name) {
			size_t length = strcspn(name, " ");

			if (!is_command(name, length))
				fail_msg("see also: no command %.*s",
					 (int)length, name);
			name += length + strspn(name + length, " ");
		}
	}
}

/* ::help lists by what commands are for. */
static void every_command_is_in_a_group(void **state)
{
	(void)state;
	for (size_t i = 0; dcmd_table[i]; i++) {
		const struct see_also_group *group;
		bool found = false;

		for (size_t j = 0; !found && (group = see_also_group(j)); j++)
			found = see_also_names(group->names,
					       dcmd_table[i]->name);
		if (!found)
			fail_msg("%s is in no group of see_also.c",
				 dcmd_table[i]->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_explain_themselves),
		cmocka_unit_test(walkers_explain_themselves),
		cmocka_unit_test(names_are_unique),
		cmocka_unit_test(tables_are_sorted),
		cmocka_unit_test(options_are_sane),
		cmocka_unit_test(columns_are_named_and_told_apart),
		cmocka_unit_test(help_shows_every_page),
		cmocka_unit_test(related_commands_exist),
		cmocka_unit_test(every_command_is_in_a_group),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
