/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/complete.h"

#include "kdbg/arch.h"
#include "kdbg/complete_impl.h"
#include "kdbg/dcmd.h"
#include "kdbg/functions.h"
#include "kdbg/heap.h"
#include "kdbg/symbols.h"
#include "kdbg/target.h"
#include "kdbg/variables.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 64 };

void complete_add(const struct completion *completion, size_t at,
		  const char *name)
{
	const char *typed = completion->line + at;
	size_t kept = at - completion->start;

	if (at < completion->start) { /* a part of name stands before start */
		size_t before = completion->start - at;

		if (strncmp(name, typed, strlen(typed)) == 0)
			completion->completer->found(
				completion->completer->context, name + before);
		return;
	}
	if (strncmp(name, typed, strlen(typed)) != 0)
		return;
	char *word = malloc(kept + strlen(name) + 1);
	if (!word)
		return;
	memcpy(word, completion->line + completion->start, kept);
	strcpy(word + kept, name);
	completion->completer->found(completion->completer->context, word);
	free(word);
}

static void add(const struct completion *completion, const char *name)
{
	complete_add(completion, completion->start, name);
}

static void add_all(const struct completion *completion, const char *name,
		    const char *const *aliases)
{
	add(completion, name);
	for (; aliases && *aliases; aliases++) {
		char *alias = strndup(*aliases, strcspn(*aliases, " "));

		if (alias)
			add(completion, alias);
		free(alias);
	}
}

/* --- names -------------------------------------------------------------- */

static void add_dcmds(const struct completion *completion)
{
	const struct session *session = completion->session;

	for (size_t i = 0; session->dcmds[i]; i++)
		add_all(completion, session->dcmds[i]->name,
			session->dcmds[i]->aliases);
}

static void add_caches(const struct completion *completion)
{
	const struct heap_cache *caches;
	struct heap *heap;
	struct err *err = session_heap(completion->session, &heap);
	size_t count = err ? 0 : heap_caches(heap, &caches);

	for (size_t i = 0; i < count; i++)
		add(completion, caches[i].name);
	err_free(err);
}

static void add_walkers(const struct completion *completion)
{
	const struct session *session = completion->session;

	for (size_t i = 0; session->walkers[i]; i++)
		add_all(completion, session->walkers[i]->name,
			session->walkers[i]->aliases);
}

static void add_variables(const struct completion *completion)
{
	const struct variables *variables = completion->session->variables;

	for (size_t i = 0; variables && i < variables->count; i++)
		add(completion, variables->items[i].name);
}

static void add_registers(const struct completion *completion)
{
	const struct arch_register *registers;
	size_t count = arch_registers(&registers);

	for (size_t i = 0; i < count; i++)
		add(completion, registers[i].name);
	add(completion, "thread");
}

static void add_objects(const struct completion *completion)
{
	const struct target *target = completion->session->target;

	for (size_t i = 0; target && i < target->module_count; i++) {
		const char *path = target->modules[i].path;
		const char *slash = strrchr(path, '/');

		add(completion, slash ? slash + 1 : path);
	}
}

static void add_functions(const struct completion *completion)
{
	const struct function *all;
	size_t count = functions(&all);
	char name[NAME_SIZE];

	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s(", all[i].name);
		add(completion, name);
	}
}

static void add_symbol(void *context, const char *name)
{
	add(context, name);
}

static void add_symbols(const struct completion *completion)
{
	const char *typed = completion->line + completion->start;
	struct symbols *symbols;
	struct err *err = session_symbols(completion->session, &symbols);

	if (!err && *typed)
		symbols_complete(symbols, typed, add_symbol,
				 (void *)completion);
	err_free(err);
}

/* --- where the word stands ---------------------------------------------- */

/* The command whose words the last one is among: the last ::name of its stage
 * that is followed by a blank. *words: where they begin. */
static const struct dcmd *command_before(const struct completion *completion,
					 size_t *words)
{
	const char *line = completion->line;
	size_t at = completion->start;
	char name[NAME_SIZE];

	while (at && !strchr("|;!", line[at - 1]) &&
	       strncmp(line + at - 1, "::", 2) != 0)
		at--;
	if (!at || strncmp(line + at - 1, "::", 2) != 0)
		return NULL;
	const char *word = line + at + 1;
	size_t length = strcspn(word, " \t");
	*words = at + 1 + length;
	if (length >= sizeof(name) || *words >= completion->start)
		return NULL;
	memcpy(name, word, length);
	name[length] = '\0';
	return session_dcmd(completion->session, name);
}

static bool is_after(const struct completion *completion, const char *text)
{
	size_t length = strlen(text);

	return completion->start >= length &&
	       strncmp(completion->line + completion->start - length, text,
		       length) == 0;
}

/* "struct " is followed by a type's name alone. */
static bool is_after_keyword(const struct completion *completion)
{
	return is_after(completion, "struct ") ||
	       is_after(completion, "union ") ||
	       is_after(completion, "class ") || is_after(completion, "enum ");
}

/* Where the last word begins, as a command takes words. */
static size_t word_begin(const struct completion *completion)
{
	size_t at = completion->start;

	while (at && !strchr(" \t'\"", completion->line[at - 1]))
		at--;
	return at;
}

/* Is the word the argument of an option that names a file? */
static bool add_option_file(const struct completion *completion,
			    const struct dcmd *dcmd)
{
	const char *line = completion->line;
	size_t at = word_begin(completion);

	for (size_t i = 0; i < dcmd->option_count; i++) {
		const struct option *option = &dcmd->options[i];

		if (option->kind != OPTION_TEXT || at < 3 ||
		    line[at - 1] != ' ' || line[at - 2] != option->letter ||
		    line[at - 3] != '-' ||
		    (strcmp(option->argument, "file") != 0 &&
		     strcmp(option->argument, "prefix") != 0))
			continue;
		complete_file(completion, at);
		return true;
	}
	return false;
}

static void add_own_word(void *context, const char *word)
{
	const struct completion *completion = context;

	complete_add(completion, word_begin(completion), word);
}

/* The last word begins with "-" or "--", which may or may not be a part of it.
 */
static bool add_options(const struct completion *completion,
			const struct dcmd *dcmd)
{
	const char *line = completion->line;
	size_t at = completion->start;

	while (at && line[at - 1] != ' ')
		at--;
	if (line[at] != '-')
		return false;
	bool is_long = line[at + 1] == '-';
	for (size_t i = 0; i < dcmd->option_count; i++) {
		const struct option *option = &dcmd->options[i];
		char letter[2] = { option->letter, '\0' };

		if (is_long && option->name)
			complete_add(completion, at + 2, option->name);
		else if (!is_long && option->letter)
			complete_add(completion, at + 1, letter);
	}
	return true;
}

/* Does usage have this as a word of its own? */
static bool usage_has(const char *usage, const char *word)
{
	size_t length = strlen(word);

	for (; usage && (usage = strstr(usage, word)); usage += length)
		if (!isalpha((unsigned char)usage[length]) &&
		    !isalpha((unsigned char)usage[-1]))
			return true;
	return false;
}

static void add_words(const struct completion *completion,
		      const struct dcmd *dcmd, size_t words)
{
	char usage[256];

	/* A character before the first word. */
	snprintf(usage, sizeof(usage), " %s",
		 dcmd->arguments ? dcmd->arguments : "");
	if (add_options(completion, dcmd) || add_option_file(completion, dcmd))
		return;
	if (dcmd->words) {
		dcmd->words(add_own_word, (void *)completion);
	} else if (usage_has(usage, "file")) {
		complete_file(completion, word_begin(completion));
	} else if (usage_has(usage, "type")) {
		if (complete_member_of_words(completion, words))
			return;
		complete_type(completion, words);
		if (!is_after_keyword(completion))
			add_symbols(completion);
	} else if (usage_has(usage, "walker")) {
		add_walkers(completion);
		add_caches(completion);
	} else if (usage_has(usage, "command")) {
		add_dcmds(completion);
		add_walkers(completion);
	} else if (usage_has(usage, "cache")) {
		add_caches(completion);
	} else if (usage_has(usage, "variable")) {
		add_variables(completion);
	} else if (usage_has(usage, "object")) {
		add_objects(completion);
	} else if (!complete_member_of_expression(completion)) {
		add_symbols(completion);
	}
}

/* "$<file" has no blank before the file. */
static bool add_sourced(const struct completion *completion)
{
	const char *line = completion->line, *at = strrchr(line, '$');

	if (!at || (at[1] != '<' && at[1] != '>'))
		return false;
	at += 2 + (at[2] == '<');
	at += strspn(at, " \t");
	if (at > line + completion->start + strlen(line + completion->start) ||
	    strpbrk(at, " \t;|!"))
		return false;
	complete_file(completion, (size_t)(at - line));
	return true;
}

void complete(struct session *session, const char *line, size_t start,
	      const struct completer *completer)
{
	const struct completion completion = { session, line, start,
					       completer };
	size_t words;

	if (start > strlen(line))
		return;
	if (is_after(&completion, "::")) {
		add_dcmds(&completion);
		return;
	}
	const struct dcmd *dcmd = command_before(&completion, &words);
	if (dcmd) {
		add_words(&completion, dcmd, words);
		return;
	}
	if (add_sourced(&completion))
		return;
	if (is_after(&completion, "<")) {
		add_variables(&completion);
		add_registers(&completion);
		return;
	}
	if (!complete_member_of_expression(&completion)) {
		add_functions(&completion);
		add_symbols(&completion);
	}
}
