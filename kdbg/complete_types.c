/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Types and members at the end of a line. Nothing is read of the target's
 * memory but where an expression's own pointers lead.
 */
#include "kdbg/complete_impl.h"

#include "kdbg/arena.h"
#include "kdbg/expression.h"
#include "kdbg/parser.h"
#include "kdbg/type_words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 32, NESTING_MAX = 8 };

/* --- types -------------------------------------------------------------- */

struct type_adder {
	const struct completion *completion;
	size_t at;
};

static void add_type(void *context, const char *name)
{
	const struct type_adder *adder = context;

	complete_add(adder->completion, adder->at, name);
}

/* Words before the type are options, a format, an address: it begins where
 * what is typed could be one. */
void complete_type(const struct completion *completion, size_t at)
{
	const char *line = completion->line;
	struct types *types;
	struct err *err = session_types(completion->session, &types);

	for (; !err && line[at]; at++) {
		struct type_adder adder = { completion, at };

		if ((at && line[at - 1] != ' ') || line[at] == ' ')
			continue;
		types_complete(types, line + at, add_type, &adder);
	}
	err_free(err);
}

/* --- members ------------------------------------------------------------ */

static void add_members(const struct completion *completion, size_t at,
			struct type *type, unsigned depth)
{
	const struct type_member *members;
	size_t count = type_members(type_peel(type), &members);

	for (size_t i = 0; i < count; i++) {
		struct type *inner = type_peel(members[i].type);

		if (members[i].name && !members[i].base)
			complete_add(completion, at, members[i].name);
		else if (depth < NESTING_MAX && type_is_aggregate(inner))
			add_members(completion, at, inner, depth + 1);
	}
}

/* Members of an aggregate, or of what a pointer to one points to. */
static bool add_members_of(const struct completion *completion, size_t at,
			   struct type *type)
{
	struct type *peeled = type_peel(type);

	if (peeled->kind == TYPE_POINTER || peeled->kind == TYPE_REFERENCE)
		peeled = type_peel(type_target(peeled));
	if (!type_is_aggregate(peeled))
		return false;
	add_members(completion, at, peeled, 0);
	return true;
}

/* Where the last member's name begins: behind ".", "->" or a blank. */
static size_t member_start(const char *line, size_t least)
{
	size_t at = strlen(line);

	while (at > least &&
	       (isalnum((unsigned char)line[at - 1]) || line[at - 1] == '_'))
		at--;
	return at;
}

/* Words from first up to end, as a call would have them; in text. */
static int split(char *text, const char *argv[WORDS_MAX])
{
	int argc = 0;
	char *rest = NULL;

	for (char *word = strtok_r(text, " \t", &rest);
	     word && argc < WORDS_MAX; word = strtok_r(NULL, " \t", &rest))
		argv[argc++] = word;
	return argc;
}

/* What words before the last name: the first of them that can begin a type or
 * is a variable does. */
static bool type_before(struct session *session, int argc,
			const char *const *argv, struct type **ret)
{
	for (int i = 0; i < argc; i++) {
		struct type_place place;
		int used;
		struct err *err = type_place_of_words(
			session, false, 0, argc - i, argv + i, &place, &used);

		*ret = err ? NULL : place.type;
		err_free(err);
		if (!err && used)
			return true;
	}
	return false;
}

static bool type_of_expression(struct session *session, const char *text,
			       struct type **ret)
{
	struct source source = { .text = text, .radix = session->radix };
	const struct expression *expression;
	struct arena arena = { 0 };
	struct typed_value value = { 0 };
	struct err *err = parse_expression(&source, &arena, &expression);

	if (!err)
		err = expression_typed(session, expression, &value);
	arena_deinit(&arena);
	*ret = value.place.type;
	bool typed = !err && value.typed;
	err_free(err);
	return typed;
}

/* The command's address is a variable: "table::print [1].". */
static bool type_of_address(struct session *session, const char *line,
			    size_t words, struct type **ret)
{
	size_t end = words, start;

	while (end && strncmp(line + end - 1, "::", 2) != 0)
		end--;
	end -= end > 0;
	for (start = end; start && !strchr("|;", line[start - 1]);)
		start--;
	char *text = strndup(line + start, end - start);
	bool typed = text && type_of_expression(session, text, ret);
	free(text);
	return typed;
}

bool complete_member_of_words(const struct completion *completion, size_t first)
{
	const char *line = completion->line;
	size_t name = member_start(line, first);
	size_t word = name;
	const char *argv[WORDS_MAX];
	struct type *type;

	while (word > first && line[word - 1] != ' ')
		word--;
	char *before = strndup(line + first, word - first);
	char *path = strndup(line + word, name - word);
	int argc = before ? split(before, argv) : 0;
	bool found = path &&
		     (type_before(completion->session, argc, argv, &type) ||
		      type_of_address(completion->session, line, first, &type));
	if (found) {
		size_t length = strlen(path);

		if (length && path[length - 1] == '.')
			path[length - 1] = '\0';
		else if (length > 1 && path[length - 1] == '>')
			path[length - 2] = '\0';
		struct err *err = type_place_shape(completion->session, type,
						   path, &type);
		found = !err && add_members_of(completion, name, type);
		err_free(err);
	}
	free(before);
	free(path);
	return found || complete_member_of_expression(completion);
}

/* --- of expressions ----------------------------------------------------- */

/* Where the operand that ends at end begins: names, dots, ->, [ ], ( ). */
static size_t operand_start(const char *line, size_t end)
{
	size_t at = end;
	int depth = 0;

	for (; at; at--) {
		char c = line[at - 1];

		if (c == ']' || c == ')')
			depth++;
		else if ((c == '[' || c == '(') && depth)
			depth--;
		else if (!depth && c == '>' && at > 1 && line[at - 2] == '-')
			at--;
		else if (!depth && !isalnum((unsigned char)c) &&
			 !strchr("_.`", c))
			break;
	}
	return at;
}

bool complete_member_of_expression(const struct completion *completion)
{
	const char *line = completion->line;
	size_t name = member_start(line, 0);
	size_t end = name;
	struct type *type;

	if (end && line[end - 1] == '.')
		end--;
	else if (end > 1 && strncmp(line + end - 2, "->", 2) == 0)
		end -= 2;
	else
		return false;
	size_t start = operand_start(line, end);
	char *text = strndup(line + start, end - start);
	bool found = text && *text &&
		     type_of_expression(completion->session, text, &type) &&
		     add_members_of(completion, name, type);
	free(text);
	return found;
}
