/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/debug.h"

#include "kdbg/exit_status.h"
#include "kdbg/interrupt.h"
#include "kdbg/pager.h"
#include "kdbg/progress.h"
#include "kdbg/prompt.h"
#include "kdbg/session.h"
#include "kdbg/sink.h"
#include "kdbg/target_live.h"
#include "kdbg/terminal.h"
#include "kdbg/utf8.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* no-color.org: set and not empty means none. */
static bool may_emphasise(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

static void init_sink(struct sink *out, const struct debug_options *options)
{
	*out = (struct sink){
		.ops = options->json ? &json_sink_ops : &text_sink_ops,
		.stream = stdout,
		.notes = stderr,
		.wide = options->wide || terminal_columns() >= WIDE_COLUMNS,
		.columns = terminal_columns(),
		.emphasis = may_emphasise(),
	};
}

/* Line by line, so that a program at the other end can converse. */
static void run_stream(struct session *session, FILE *stream, const char *name,
		       struct sink *out)
{
	char *line = NULL, *origin = NULL;
	size_t size = 0;
	unsigned number = 0;

	while (!session->quit && !out->failed &&
	       getline(&line, &size, stream) >= 0) {
		if (asprintf(&origin, "%s:%u", name, ++number) < 0)
			origin = NULL;
		session_run(session, line, origin, out);
		free(origin);
	}
	free(line);
}

static void run_rc(struct session *session, struct sink *out)
{
	const char *home = getenv("HOME");
	char *path = NULL;

	if (!home || asprintf(&path, "%s/.kdbgrc", home) < 0)
		return;
	FILE *stream = fopen(path, "re");
	if (stream) {
		run_stream(session, stream, path, out);
		fclose(stream);
	}
	free(path);
}

static void show_warnings(const struct target *target, struct sink *out,
			  bool json)
{
	for (size_t i = 0; i < target->warning_count; i++)
		if (json)
			sink_note(out, "%s: warning: %s", target->path,
				  target->warnings[i]);
		else
			fprintf(stderr, "kdbg: %s: warning: %s\n", target->path,
				target->warnings[i]);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void show_banner(const struct target *target)
{
	const struct dump_process *process = target->process;

	printf("kdbg %s: %s of %s, process %u, %zu thread%s.\n"
	       "::doctor is the first look, ::help NAME explains, ::quit "
	       "leaves.\n",
	       KMA_VERSION, target->ops->kind,
	       process && process->executable ? base_name(process->executable)
					      : "an unknown program",
	       process ? process->pid : 0, target->thread_count,
	       target->thread_count == 1 ? "" : "s");
}

static void run_commands(struct session *session,
			 const struct debug_options *options, struct sink *out)
{
	session->held = options->command_count > 0; /* all of one moment */
	if (!options->no_rc)
		run_rc(session, out);
	for (size_t i = 0; i < options->command_count; i++)
		session_run(session, options->commands[i], NULL, out);
	if (options->command_count)
		return;
	if (session->interactive) {
		show_banner(session->target);
		session_release(session);
		interrupt_install(session);
		prompt_run(session, out);
	} else {
		run_stream(session, stdin, "stdin", out);
	}
}

/* A reader that has seen enough is no failure; a full disk is. */
static void check_output(struct session *session, struct sink *out)
{
	sink_flush(out);
	if (out->failed && out->error != EPIPE)
		session_report(session, err_new(ERR_IO, "writing output: %s",
						strerror(out->error)));
}

/* The error names the file or process. */
static int fail_to_open(struct err *err, bool file)
{
	char text[1024];

	err_describe(err, text, sizeof(text));
	err_free(err);
	fputs(file ? "kdbg: opening " : "kdbg: ", stderr);
	utf8_put(stderr, text);
	fputc('\n', stderr);
	return STATUS_FAILED;
}

int debug_run(const struct debug_options *options,
	      const struct dcmd *const *dcmds,
	      const struct walker *const *walkers)
{
	struct session session;
	struct target *target = NULL;
	struct sink out;

	struct err *err =
		options->path
			? target_open(options->path, &options->target, &target)
			: target_live_open(options->pid, &options->target,
					   &target);
	if (!err)
		err = session_init(&session, target, dcmds, walkers);
	if (err) {
		target_close(target);
		return fail_to_open(err, options->path != NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	init_sink(&out, options);
	session.json = options->json;
	session.interactive = !options->command_count && isatty(STDIN_FILENO);
	session.pager = session.interactive && pager_wanted();
	session.progress = isatty(STDERR_FILENO) ? progress_show : NULL;
	show_warnings(target, &out, options->json);
	run_commands(&session, options, &out);
	/* What was mistyped at a prompt was told there. */
	if (session.interactive)
		session.status = STATUS_FINE;
	check_output(&session, &out);

	int status = session.status;
	session_deinit(&session);
	return status;
}
