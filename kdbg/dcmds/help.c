/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::help - what a command does, from its own tables. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/see_also.h"
#include "kdbg/usage.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LINE_SIZE = 512,
	WRAP_COLUMN = 78,
	INDENT = 4,
	USAGE_INDENT = 7,
	OPTION_INDENT = 23,
	SEE_INDENT = 10,
};

static const struct column help_columns[] = {
	{ "NAME", VALUE_TEXT },
	{ "PART", VALUE_TEXT },
	{ "TEXT", VALUE_TEXT },
};

static const struct column list_columns[] = {
	{ "NAME", VALUE_TEXT, .width = 20 },
	{ "SUMMARY", VALUE_TEXT },
};

static const struct table help_tables[] = {
	{ "without a name", list_columns, 2, .no_header = true },
	{ "with a name", help_columns, 3, .no_header = true },
};

struct page {
	const char *name;
	struct sink *out;
};

/* A line of the page; text is what of it a program wants. */
static void put(struct page *page, const char *part, const char *text,
		const char *line)
{
	SINK_ROW_AS(page->out, line, TEXT(page->name), TEXT(part), TEXT(text));
}

/* How much of text goes on a line: up to a blank or newline. */
static size_t line_length(const char *text, size_t width)
{
	size_t end = strcspn(text, "\n");
	size_t length;

	if (end <= width)
		return end;
	for (length = width; length && text[length] != ' '; length--)
		;
	return length ? length : end;
}

/* A line, and what of it is too long below, indented. */
static PRINTF_LIKE(5, 6) void put_formatted(struct page *page, const char *part,
					    const char *text, unsigned indent,
					    const char *fmt, ...)
{
	char whole[LINE_SIZE], line[LINE_SIZE];
	const char *rest = whole;
	va_list args;

	va_start(args, fmt);
	vsnprintf(whole, sizeof(whole), fmt, args);
	va_end(args);
	size_t length = line_length(rest, WRAP_COLUMN);
	snprintf(line, sizeof(line), "%.*s", (int)length, rest);
	put(page, part, text, line);
	for (rest += length; *rest; rest += length) {
		rest += *rest == ' ';
		length = line_length(rest, WRAP_COLUMN - indent);
		sink_line(page->out, "%*s%.*s", (int)indent, "", (int)length,
			  rest);
	}
}

static void put_paragraphs(struct page *page, const char *text)
{
	char line[LINE_SIZE];

	while (*text) {
		size_t length = line_length(text, WRAP_COLUMN);

		snprintf(line, sizeof(line), "%.*s", (int)length, text);
		if (length)
			put(page, "help", line, line);
		else
			sink_line(page->out, "%s", "");
		text += length;
		text += *text == ' ' || *text == '\n';
	}
}

static void put_options(struct page *page, const struct dcmd *dcmd)
{
	if (dcmd->option_count)
		sink_line(page->out, "options:");
	for (size_t i = 0; i < dcmd->option_count; i++) {
		char option[80], row[LINE_SIZE];

		usage_option(&dcmd->options[i], option, sizeof(option));
		snprintf(row, sizeof(row), "%s  %s", option,
			 dcmd->options[i].help);
		put_formatted(page, "option", row, OPTION_INDENT, "  %-20s %s",
			      option, dcmd->options[i].help);
	}
}

static void put_columns(struct page *page, const struct table *table)
{
	char line[LINE_SIZE] = "";

	for (size_t i = 0; i < table->column_count; i++) {
		size_t used = strlen(line);

		snprintf(line + used, sizeof(line) - used, "%s%s",
			 i ? ", " : "", table->columns[i].name);
	}
	if (table->column_count)
		put_formatted(page, "columns", line, INDENT, "columns (%s): %s",
			      table->name, line);
}

static void put_aliases(struct page *page, const char *const *aliases)
{
	for (; aliases && *aliases; aliases++)
		put_formatted(page, "alias", *aliases, INDENT, "alias: %s",
			      *aliases);
}

/* In one line, to be copied. */
static void put_example(struct page *page, const char *example)
{
	char line[LINE_SIZE];

	snprintf(line, sizeof(line), "example: %s", example);
	put(page, "example", example, line);
}

static void put_dcmd(const struct dcmd *dcmd, struct sink *out)
{
	struct page page = { dcmd->name, out };
	char usage[LINE_SIZE], related[LINE_SIZE / 2];

	usage_line(dcmd, usage, sizeof(usage));
	put_formatted(&page, "summary", dcmd->summary, INDENT, "%s - %s",
		      dcmd->name, dcmd->summary);
	put_formatted(&page, "usage", usage, USAGE_INDENT, "usage: %s", usage);
	put_aliases(&page, dcmd->aliases);
	sink_line(out, "%s", "");
	put_paragraphs(&page, dcmd->help);
	sink_line(out, "%s", "");
	put_options(&page, dcmd);
	for (size_t i = 0; i < dcmd->table_count; i++)
		put_columns(&page, &dcmd->tables[i]);
	put_example(&page, dcmd->example);
	see_also(dcmd->name, related, sizeof(related));
	if (*related)
		put_formatted(&page, "see also", related, SEE_INDENT,
			      "see also: %s", related);
}

static void put_walker(const struct walker *walker, struct sink *out)
{
	struct page page = { walker->name, out };
	char address[64];

	snprintf(address, sizeof(address), "%s%s%s",
		 walker->address_use == ADDRESS_OPTIONAL ? "[" : "",
		 walker->address_use == ADDRESS_NONE ? "" : walker->address_is,
		 walker->address_use == ADDRESS_OPTIONAL ? "]" : "");
	put_formatted(&page, "summary", walker->summary, INDENT,
		      "%s - walker: %s", walker->name, walker->summary);
	put_formatted(&page, "usage", address, USAGE_INDENT,
		      "usage: %s::walk %s", address, walker->name);
	put_aliases(&page, walker->aliases);
}

/* What was listed before is passed over. */
struct listing {
	const struct session *session;
	struct sink *out;
	bool *listed; /* of session->dcmds */
};

static void put_entry(struct listing *listing, size_t i)
{
	const struct dcmd *dcmd = listing->session->dcmds[i];

	listing->listed[i] = true;
	SINK_ROW(listing->out, TEXT(dcmd->name), TEXT(dcmd->summary));
}

/* The i-th command that is not listed yet and, unless NULL, is one of names;
 * from on. False: there is none. */
static bool find_entry(const struct listing *listing, const char *names,
		       size_t *from)
{
	for (; listing->session->dcmds[*from]; ++*from)
		if (!listing->listed[*from] &&
		    (!names ||
		     see_also_names(names,
				    listing->session->dcmds[*from]->name)))
			return true;
	return false;
}

static void put_group(struct listing *listing, const char *title,
		      const char *names)
{
	size_t i = 0;

	if (!find_entry(listing, names, &i))
		return;
	sink_line(listing->out, "%s", "");
	sink_heading(listing->out, "%s", title);
	for (; find_entry(listing, names, &i); i++)
		put_entry(listing, i);
}

/* By what they are for; ::dcmds has them by name. */
static struct err *put_list(const struct session *session, struct sink *out)
{
	struct listing listing = { .session = session, .out = out };
	const struct see_also_group *group;
	size_t count = 0;

	while (session->dcmds[count])
		count++;
	listing.listed = calloc(count + 1, sizeof(*listing.listed));
	if (!listing.listed)
		return err_new(ERR_NO_MEMORY, "out of memory");
	sink_line(out, "address::command [-options] [words] [| command ...] "
		       "[! shell]");
	sink_line(out, "::help NAME explains a command or walker; ::walkers, "
		       "::formats list those.");
	for (size_t i = 0; (group = see_also_group(i)); i++)
		put_group(&listing, group->title, group->names);
	put_group(&listing, "Others", NULL);
	free(listing.listed);
	return NULL;
}

static struct err *put_named(const struct session *session, const char *name,
			     struct sink *out)
{
	name += strncmp(name, "::", 2) == 0 ? 2 : 0;

	const struct dcmd *dcmd = session_dcmd(session, name);
	const struct walker *walker = session_walker(session, name);
	const char *like = usage_nearest_dcmd(session, name);

	if (!dcmd && !walker && like)
		return err_new(ERR_NOT_FOUND,
			       "no command or walker %s (did you mean %s?)",
			       name, like);
	if (!dcmd && !walker)
		return err_new(ERR_NOT_FOUND, "no command or walker %s", name);
	if (dcmd)
		put_dcmd(dcmd, out);
	if (walker)
		put_walker(walker, out);
	return NULL;
}

static struct err *help_run(const struct dcmd_call *call, struct sink *out)
{
	struct err *err = NULL;

	if (call->argc == 0)
		return put_list(call->session, out);
	sink_table(out, &help_tables[1]);
	for (int i = 0; i < call->argc && !err; i++)
		err = put_named(call->session, call->argv[i], out);
	return err;
}

const struct dcmd dcmd_help = {
	.name = "help",
	.summary = "list the commands, or explain some",
	.help = "The page of a command shows how it is called, its options, "
		"the columns of what it prints, an example, and related "
		"commands.",
	.example = "::help walk",
	.arguments = "[command ...]",
	.tables = help_tables,
	.table_count = 2,
	.run = help_run,
};
