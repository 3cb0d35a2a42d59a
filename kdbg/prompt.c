/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The only file that knows readline. Its callbacks carry no context, so what
 * they need stands in one structure here, for as long as the prompt runs.
 */
#include "kdbg/prompt.h"

#include "kdbg/complete.h"
#include "kdbg/newcomers.h"
#include "kdbg/pager.h"
#include "kdbg/session.h"
#include "kdbg/sink.h"
#include "kdbg/terminal.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/history.h> /* needs stdio.h, so a block of their own */
#include <readline/readline.h>

enum { HISTORY_LINES = 1000, COMPLETIONS_MAX = 2000 };

/* The words that could stand where the cursor is. */
struct candidates {
	struct session *session;
	char **words;
	size_t count, next;
};

static struct candidates candidates;

static void add_candidate(void *context, const char *word)
{
	char **words;

	(void)context;
	if (candidates.count == COMPLETIONS_MAX)
		return;
	words = reallocarray(candidates.words, candidates.count + 1,
			     sizeof(*words));
	if (!words)
		return;
	candidates.words = words;
	words[candidates.count] = strdup(word);
	if (words[candidates.count])
		candidates.count++;
}

static char *next_candidate(const char *text, int state)
{
	(void)text;
	if (state == 0)
		candidates.next = 0;
	if (candidates.next == candidates.count)
		return NULL;
	return candidates.words[candidates.next++]; /* readline frees it */
}

/* After a word that goes on (a function, a structure) no blank is wanted. */
static void choose_append(void)
{
	size_t length = candidates.count == 1 ? strlen(candidates.words[0]) : 0;

	if (length && strchr("(/=", candidates.words[0][length - 1]))
		rl_completion_append_character = '\0';
}

static char **complete_word(const char *text, int start, int end)
{
	static const struct completer completer = { add_candidate, NULL };
	char *line = strndup(rl_line_buffer, (size_t)end);

	candidates.count = 0;
	if (!line)
		return NULL;
	complete(candidates.session, line, (size_t)start, &completer);
	free(line);
	rl_attempted_completion_over = 1; /* nothing of readline's own */
	choose_append();
	return rl_completion_matches(text, next_candidate);
}

/* Ctrl-C while a line is typed: a fresh line. */
static int drop_line(void)
{
	if (!candidates.session->interrupted)
		return 0;
	candidates.session->interrupted = 0;
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
	candidates = (struct candidates){ .session = session };
	rl_readline_name = "kdbg";
	rl_catch_signals = 0;
	/* The first acts at once; the second catches a signal that came just
	 * before readline began to wait. */
	rl_signal_event_hook = drop_line;
	rl_event_hook = drop_line;
	rl_attempted_completion_function = complete_word;
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
	char *meant = newcomers_line(line);
	if (!meant)
		return;
	pager_begin(&pager, session, out);
	session_run(session, meant, NULL, out);
	free(meant);
	if (pager_end(&pager, out))
		return;
	fputs("kdbg: there is no such $PAGER; output is not paged any more\n",
	      session->errors);
	session->pager = false;
}

enum { EOF_MAX = 10 }; /* in a row: there is no more input to come */

/* NULL: the end of the input, and it counts. */
static char *read_line(const struct session *session)
{
	for (int i = 0; i < EOF_MAX; i++) {
		char *line = readline(session->prompt ? session->prompt : "> ");

		if (line || !session->ignore_eof)
			return line;
		fputs("::quit leaves (::set ignoreeof=off: so does Ctrl-D)\n",
		      session->errors);
	}
	return NULL;
}

/* Nothing typed may mean the last command again: a format goes on where it left
 * off, another looks at the same again. */
static void repeat_last(struct session *session, struct sink *out)
{
	char again[32];

	if (!session->repeat_last || !session->repeat)
		return;
	bool goes_on = strchr("/?", *session->repeat) != NULL;
	snprintf(again, sizeof(again), "0x%" PRIx64,
		 session->dot + (goes_on ? session->increment : 0));
	if (goes_on || session->repeat_on_dot) {
		run_line(session, again, out);
		return;
	}
	char *line = strdup(session->repeat); /* running it replaces it */
	if (line)
		run_line(session, line, out);
	free(line);
}

/* A new size tells anew what is shown; until then ::set's. */
static void follow_size(const struct session *session, struct sink *out,
			unsigned *columns)
{
	if (session->columns || terminal_columns() == *columns)
		return;
	*columns = terminal_columns();
	out->wide = *columns >= WIDE_COLUMNS;
	out->columns = *columns;
}

void prompt_run(struct session *session, struct sink *out)
{
	char *history = history_path();
	char *line = NULL;
	unsigned columns = terminal_columns();

	start(session, history);
	while (!session->quit && (line = read_line(session))) {
		follow_size(session, out, &columns);
		remember(line);
		session->interrupted = 0;
		if (*line)
			run_line(session, line, out);
		else
			repeat_last(session, out);
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
	free(candidates.words);
}
