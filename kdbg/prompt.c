/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The only file that knows readline. Its callbacks carry no context, so what
 * they need stands in one structure here, for as long as the prompt runs.
 */
#include "kdbg/prompt.h"

#include "kdbg/dcmd.h"
#include "kdbg/pager.h"
#include "kdbg/session.h"
#include "kdbg/sink.h"
#include "kdbg/symbols.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/history.h> /* needs stdio.h, so a block of their own */
#include <readline/readline.h>

enum { HISTORY_LINES = 1000, COMPLETIONS_MAX = 2000 };

struct completion {
	struct session *session;
	char **names;
	size_t count, next;
};

static struct completion completion;

static void add_name(const char *prefix, const char *name)
{
	char **names;

	if (strncmp(name, prefix, strlen(prefix)) != 0 ||
	    completion.count == COMPLETIONS_MAX)
		return;
	names = reallocarray(completion.names, completion.count + 1,
			     sizeof(*names));
	if (!names)
		return;
	completion.names = names;
	names[completion.count] = strdup(name);
	if (names[completion.count])
		completion.count++;
}

static void add_aliases(const char *prefix, const char *const *aliases)
{
	for (; aliases && *aliases; aliases++)
		add_name(prefix, *aliases);
}

static void add_dcmds(const char *prefix)
{
	const struct session *session = completion.session;

	for (size_t i = 0; session->dcmds[i]; i++) {
		add_name(prefix, session->dcmds[i]->name);
		add_aliases(prefix, session->dcmds[i]->aliases);
	}
}

static void add_walkers(const char *prefix)
{
	const struct session *session = completion.session;

	for (size_t i = 0; session->walkers[i]; i++) {
		add_name(prefix, session->walkers[i]->name);
		add_aliases(prefix, session->walkers[i]->aliases);
	}
}

static void add_symbol(void *prefix, const char *name)
{
	add_name(prefix, name);
}

static void add_symbols(const char *prefix)
{
	struct symbols *symbols;
	struct err *err = session_symbols(completion.session, &symbols);

	if (!err)
		symbols_complete(symbols, prefix, add_symbol, (void *)prefix);
	err_free(err);
}

/* Does the line before the word end with text, blanks aside? */
static bool follows(int start, const char *text)
{
	size_t length = strlen(text);
	size_t end = (size_t)start;

	while (end && rl_line_buffer[end - 1] == ' ')
		end--;
	return end >= length &&
	       strncmp(rl_line_buffer + end - length, text, length) == 0;
}

/* The command whose options or arguments the word at start is among: the last
 * ::name of this stage. */
static const struct dcmd *command_before(int start)
{
	size_t at = (size_t)start;
	char name[64];

	while (at && !strchr("|;", rl_line_buffer[at - 1]) &&
	       strncmp(rl_line_buffer + at - 1, "::", 2) != 0)
		at--;
	if (!at || strncmp(rl_line_buffer + at - 1, "::", 2) != 0)
		return NULL;
	const char *word = rl_line_buffer + at + 1;
	size_t length = strcspn(word, " \t");
	if (length >= sizeof(name) || at + 1 + length >= (size_t)start)
		return NULL;
	memcpy(name, word, length);
	name[length] = '\0';
	return session_dcmd(completion.session, name);
}

/* A word that begins with - or --; readline's word begins behind them. */
static bool add_options(const char *prefix, int start)
{
	bool is_long = start >= 2 && rl_line_buffer[start - 1] == '-' &&
		       rl_line_buffer[start - 2] == '-';
	const struct dcmd *dcmd;

	if (start < 1 || rl_line_buffer[start - 1] != '-')
		return false;
	dcmd = command_before(start);
	for (size_t i = 0; dcmd && i < dcmd->option_count; i++) {
		const struct option *option = &dcmd->options[i];
		char letter[2] = { option->letter, '\0' };

		if (is_long && option->name)
			add_name(prefix, option->name);
		else if (!is_long && option->letter)
			add_name(prefix, letter);
	}
	return dcmd != NULL;
}

static char *next_name(const char *text, int state)
{
	(void)text;
	if (state == 0)
		completion.next = 0;
	if (completion.next == completion.count)
		return NULL;
	return completion.names[completion.next++]; /* readline frees it */
}

static char **complete(const char *text, int start, int end)
{
	(void)end;
	completion.count = 0;
	rl_attempted_completion_over = 1;
	if (add_options(text, start))
		return rl_completion_matches(text, next_name);
	if (follows(start, "::") || follows(start, "::help"))
		add_dcmds(text);
	else if (follows(start, "::walk"))
		add_walkers(text);
	else if (*text)
		add_symbols(text);
	return rl_completion_matches(text, next_name);
}

/* Ctrl-C while a line is typed: a fresh line. */
static int drop_line(void)
{
	if (!completion.session->interrupted)
		return 0;
	completion.session->interrupted = 0;
	fputs("^C", rl_outstream);
	rl_free_line_state();
	rl_replace_line("", 0);
	rl_crlf();
	rl_on_new_line();
	rl_redisplay();
	return 0;
}

static char *history_path(void)
{
	const char *path = getenv("KDBG_HISTORY");
	const char *home = getenv("HOME");
	char *made = NULL;

	if (path)
		return *path ? strdup(path) : NULL;
	if (home && asprintf(&made, "%s/.kdbg_history", home) < 0)
		return NULL;
	return made;
}

static int history_size(void)
{
	const char *text = getenv("HISTSIZE");
	long size = text ? strtol(text, NULL, 10) : 0;

	return size > 0 && size < INT_MAX ? (int)size : HISTORY_LINES;
}

static void start(struct session *session, const char *history)
{
	completion = (struct completion){ .session = session };
	rl_readline_name = "kdbg";
	rl_catch_signals = 0;
	/* The first acts at once; the second catches a signal that came just
	 * before readline began to wait. */
	rl_signal_event_hook = drop_line;
	rl_event_hook = drop_line;
	rl_attempted_completion_function = complete;
	rl_completer_word_break_characters = " \t\n|;!,=/?>+-*%#~&^()[]<'\"$:";
	using_history();
	stifle_history(history_size());
	if (history)
		read_history(history);
}

static void remember(const char *line)
{
	const HIST_ENTRY *last = history_get(history_base + history_length - 1);

	if (*line && (!last || strcmp(last->line, line) != 0))
		add_history(line);
}

static void run_line(struct session *session, const char *line,
		     struct sink *out)
{
	struct pager pager;

	if (session->log)
		fprintf(session->log, "> %s\n", line);
	pager_begin(&pager, session, out);
	session_run(session, line, NULL, out);
	if (pager_end(&pager, out))
		return;
	fputs("kdbg: there is no such $PAGER; output is not paged any more\n",
	      session->errors);
	session->pager = false;
}

void prompt_run(struct session *session, struct sink *out)
{
	char *history = history_path();
	char *line = NULL;
	unsigned columns = terminal_columns();

	start(session, history);
	while (!session->quit && (line = readline("> "))) {
		/* A new size tells anew what is shown; until then ::set's. */
		if (terminal_columns() != columns) {
			columns = terminal_columns();
			out->wide = columns >= WIDE_COLUMNS;
		}
		remember(line);
		session->interrupted = 0;
		run_line(session, line, out);
		if (session->interrupted)
			fputs("interrupted\n", session->errors);
		session->interrupted = 0;
		free(line);
	}
	if (!line)
		putchar('\n'); /* after the end of the input */
	if (history)
		write_history(history);
	free(history);
	free(completion.names);
}
