/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From text to effects: statements one after another, each parsed only when
 * those before it have run, so that a later one sees their variables. A failure
 * is told with where it stands and does not stop the next; a mistake in the
 * syntax gives up the rest of its line, because there is no telling where the
 * next statement was meant to begin.
 */
#include "kdbg/session.h"

#include "kdbg/arena.h"
#include "kdbg/exit_status.h"
#include "kdbg/expression.h"
#include "kdbg/newcomers.h"
#include "kdbg/parser.h"
#include "kdbg/pipeline.h"
#include "kdbg/shell.h"
#include "kdbg/sink_values.h"
#include "kdbg/usage.h"
#include "kdbg/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NESTING_MAX = 16 };

/* The line of text that span lies on, and a mark below what is meant. */
static void point_at(FILE *stream, const char *text, struct span span)
{
	size_t start = span.start;
	size_t length;

	while (start && text[start - 1] != '\n')
		start--;
	length = strcspn(text + start, "\n");
	if (span.start > start + length)
		return;
	fprintf(stream, "  %.*s\n  %*s^\n", (int)length, text + start,
		(int)(span.start - start), "");
}

static struct err *run_piped_to_shell(struct session *session,
				      const struct statement *statement,
				      struct sink *out,
				      const struct dcmd **usage)
{
	struct shell shell;
	struct sink to_shell = *out;
	struct err *err = NULL;

	sink_flush(out);
	err = shell_open(&shell, statement->shell, statement->stages != NULL);
	if (err)
		return err;
	if (statement->stages) {
		to_shell.stream = shell.stream;
		to_shell.emphasis = false;
		err = pipeline_run(session, statement->stages, &to_shell,
				   usage);
	}
	if (shell_close(&shell) != 0 && !session->status)
		session->status = STATUS_FAILED; /* the shell has said why */
	return err;
}

static bool is_lone_value(const struct statement *statement)
{
	const struct stage *stage = statement->stages;

	return stage && !stage->next && stage->kind == STAGE_VALUE &&
	       !statement->shell;
}

/* At the prompt, a value alone runs the last command again, on that value. */
static struct err *repeat_on(struct session *session, const struct stage *value,
			     struct sink *out, const struct dcmd **usage)
{
	struct source source = { .text = session->repeat,
				 .radix = session->radix };
	struct arena arena = { 0 };
	const struct statement *statement = NULL;
	uint64_t looked_at;
	/* What is no value is told as such, and not by the command. */
	struct err *err =
		value->address
			? expression_value(session, value->address, &looked_at)
			: NULL;

	if (!err)
		err = parse_statement(&source, &arena, &statement);
	if (!err && statement && statement->stages) {
		struct stage first = *statement->stages;

		first.address = value->address;
		if (value->count)
			first.count = value->count;
		err = pipeline_run(session, &first, out, usage);
	}
	arena_deinit(&arena);
	return err;
}

static void remember(struct session *session, const struct statement *statement,
		     const char *text)
{
	const struct stage *first = statement->stages;
	struct span verb = statement->verb;

	if (first->kind == STAGE_COMMAND && !session_dcmd(session, first->name))
		return; /* a slip of the fingers */
	free(session->repeat);
	session->repeat = strndup(text + verb.start, verb.end - verb.start);
	session->repeat_on_dot = first->address != NULL;
}

static struct err *set_dot(struct session *session, const struct stage *value)
{
	if (!value->address)
		return NULL;
	return expression_value(session, value->address, &session->dot);
}

static struct err *run_statement(struct session *session,
				 const struct statement *statement,
				 const char *text, struct sink *out,
				 const struct dcmd **usage)
{
	*usage = NULL;
	if (is_lone_value(statement)) {
		const struct stage *stage = statement->stages;

		if (session->interactive && session->repeat)
			return repeat_on(session, stage, out, usage);
		return set_dot(session, stage);
	}
	if (session->interactive && statement->stages && !session->depth)
		remember(session, statement, text);
	if (statement->shell)
		return run_piped_to_shell(session, statement, out, usage);
	return pipeline_run(session, statement->stages, out, usage);
}

static void report(struct session *session, struct err *err, const char *origin,
		   const struct dcmd *usage)
{
	char line[512];

	if (!err)
		return;
	session_report(session, origin ? err_wrap(err, "%s", origin) : err);
	if (!usage)
		return;
	usage_line(usage, line, sizeof(line));
	fprintf(session->errors, "usage: %s\n", line);
}

static bool may_point(const struct session *session)
{
	int fd = fileno(session->errors);

	return fd >= 0 && isatty(fd);
}

void session_run(struct session *session, const char *text, const char *origin,
		 struct sink *out)
{
	struct source source = { .text = text };
	const struct statement *statement = NULL;
	bool more = true;

	session_report(session, session_stop(session));
	while (more && !session->quit && !out->failed &&
	       !session_interrupted(session)) {
		struct arena arena = { 0 };
		const struct dcmd *usage = NULL;

		source.radix = session->radix;
		size_t start = source.at + strspn(text + source.at, " \t\r\n;");
		struct err *err = parse_statement(&source, &arena, &statement);
		more = err || statement;
		if (err) {
			report(session,
			       newcomers_hint(session, text + start, err),
			       origin, NULL);
			if (may_point(session))
				point_at(session->errors, text, source.bad);
		} else if (statement) {
			sink_start(out);
			session->replaced = false;
			err = run_statement(session, statement, text, out,
					    &usage);
			report(session,
			       newcomers_hint(session, text + start, err),
			       origin, usage);
		}
		sink_flush(out);
		arena_deinit(&arena);
	}
	if (!session->held)
		session_release(session);
}

/* A value alone sets dot, or is what the enclosing pipe gets. */
static struct err *run_inside(struct session *session,
			      const struct statement *statement,
			      struct sink *out)
{
	const struct dcmd *usage = NULL;
	bool to_pipe = sink_is_pipe(out);

	if (statement->shell && to_pipe)
		return err_new(ERR_USAGE, "nothing comes back from a shell");
	if (statement->shell)
		return run_piped_to_shell(session, statement, out, &usage);
	if (is_lone_value(statement) && !to_pipe)
		return set_dot(session, statement->stages);
	return pipeline_run(session, statement->stages, out, &usage);
}

/* Statements inside a command: the first failure ends them. */
static struct err *run_nested(struct session *session, const char *text,
			      struct sink *out)
{
	struct source source = { .text = text, .radix = session->radix };
	const struct statement *statement;
	struct arena arena = { 0 };
	struct err *err;

	do {
		err = parse_statement(&source, &arena, &statement);
		if (!err && statement)
			err = run_inside(session, statement, out);
	} while (!err && statement && !out->failed && !session->quit &&
		 !session->replaced);
	arena_deinit(&arena);
	return err;
}

struct err *session_eval(struct session *session, const char *text,
			 struct sink *out)
{
	if (session->depth >= NESTING_MAX)
		return err_new(ERR_USAGE, "commands are nested too deeply");
	session->depth++;
	struct err *err = run_nested(session, text, out);
	session->depth--;
	return err_wrap(err, "'%s'", text);
}

static bool keep_last(void *context, uint64_t value)
{
	*(uint64_t *)context = value;
	return true;
}

struct err *session_map(struct session *session, const char *text,
			uint64_t value, uint64_t *ret)
{
	uint64_t last = 0;
	uint64_t dot = session->dot;
	struct value_receiver receiver = { &last, keep_last, NULL };
	struct sink values;

	values_sink_init(&values, &receiver);
	session->dot = value;
	struct err *err = session_eval(session, text, &values);
	session->dot = dot;
	if (!err)
		*ret = last;
	return err;
}
