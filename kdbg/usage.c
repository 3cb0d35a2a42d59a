/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/usage.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_COMPARED = 32 };

struct text {
	char *buffer;
	size_t size, used;
};

static PRINTF_LIKE(2, 3) void append(struct text *text, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(text->buffer + text->used, text->size - text->used,
			  fmt, args);
	va_end(args);
	if (n > 0)
		text->used += (size_t)n;
	if (text->used >= text->size)
		text->used = text->size - 1;
}

static void append_address(struct text *text, const struct dcmd *dcmd)
{
	const char *is = dcmd->address_is ? dcmd->address_is : "address";

	if (dcmd->address_use == ADDRESS_REQUIRED)
		append(text, "%s", is);
	else if (dcmd->address_use == ADDRESS_OPTIONAL)
		append(text, "[%s]", is);
}

static void append_flags(struct text *text, const struct dcmd *dcmd)
{
	bool any = false;

	for (size_t i = 0; i < dcmd->option_count; i++) {
		const struct option *option = &dcmd->options[i];

		if (option->kind != OPTION_FLAG || !option->letter)
			continue;
		append(text, "%s%c", any ? "" : " [-", option->letter);
		any = true;
	}
	if (any)
		append(text, "]");
}

static void append_options(struct text *text, const struct dcmd *dcmd)
{
	for (size_t i = 0; i < dcmd->option_count; i++) {
		const struct option *option = &dcmd->options[i];

		if (option->kind == OPTION_FLAG && !option->letter)
			append(text, " [--%s]", option->name);
		else if (option->kind != OPTION_FLAG && option->letter)
			append(text, " [-%c %s]", option->letter,
			       option->argument);
		else if (option->kind != OPTION_FLAG)
			append(text, " [--%s %s]", option->name,
			       option->argument);
	}
}

void usage_line(const struct dcmd *dcmd, char *buffer, size_t size)
{
	struct text text = { buffer, size, 0 };

	append_address(&text, dcmd);
	append(&text, "::%s", dcmd->name);
	append_flags(&text, dcmd);
	append_options(&text, dcmd);
	if (dcmd->arguments)
		append(&text, " %s", dcmd->arguments);
}

void usage_option(const struct option *option, char *buffer, size_t size)
{
	struct text text = { buffer, size, 0 };

	if (option->letter)
		append(&text, "-%c", option->letter);
	if (option->name)
		append(&text, "%s--%s", option->letter ? ", " : "",
		       option->name);
	if (option->kind != OPTION_FLAG)
		append(&text, " %s", option->argument);
}

/* Levenshtein's distance; names longer than the maximum are unlike all. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_COMPARED + 1];
	size_t length = strlen(b);

	if (length > NAME_MAX_COMPARED || strlen(a) > NAME_MAX_COMPARED)
		return SIZE_MAX;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);
			size_t least =
				row[j] < row[j - 1] ? row[j] : row[j - 1];

			diagonal = row[j];
			row[j] = change < least + 1 ? change : least + 1;
		}
	}
	return row[length];
}

struct nearest {
	const char *wanted, *name;
	size_t distance;
};

static void consider(struct nearest *nearest, const char *name)
{
	/* Few slip on the first letter. */
	size_t d =
		distance(nearest->wanted, name) + (*name != *nearest->wanted);

	if (d < nearest->distance) {
		nearest->distance = d;
		nearest->name = name;
	}
}

/* One change in three characters is still a slip. */
static struct nearest nearest_to(const char *wanted)
{
	return (struct nearest){ wanted, NULL, strlen(wanted) / 3 + 2 };
}

static void consider_all(struct nearest *nearest, const char *name,
			 const char *const *aliases)
{
	consider(nearest, name);
	for (; aliases && *aliases; aliases++)
		if (!strchr(*aliases, ' '))
			consider(nearest, *aliases);
}

const char *usage_nearest_dcmd(const struct session *session, const char *name)
{
	struct nearest nearest = nearest_to(name);

	for (size_t i = 0; session->dcmds[i]; i++)
		consider_all(&nearest, session->dcmds[i]->name,
			     session->dcmds[i]->aliases);
	return nearest.name;
}

const char *usage_nearest_walker(const struct session *session,
				 const char *name)
{
	struct nearest nearest = nearest_to(name);

	for (size_t i = 0; session->walkers[i]; i++)
		consider_all(&nearest, session->walkers[i]->name,
			     session->walkers[i]->aliases);
	return nearest.name;
}
