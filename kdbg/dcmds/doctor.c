/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ::doctor - the first look at a target, on one page.
 *
 * It finds out nothing itself: it asks the commands that do, and shows of what
 * each says the lines that tell most. What cannot be told here (no heap, no
 * fault) is left out or says why.
 */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_WIDTH = 71 /* behind the indentation of LINES, in 80 columns */ };

static const struct column doctor_columns[] = {
	{ "SECTION", VALUE_TEXT },
	{ "COMMAND", VALUE_TEXT },
	{ "LINES", VALUE_LINES },
};

static const struct table doctor_tables[] = {
	{ "default", doctor_columns, 3, .no_header = true },
};

/* What a command prints, and which of its lines are shown. */
struct excerpt {
	char *text;
	const char **lines; /* into text, NULL-terminated */
	size_t count;
	unsigned since; /* lines since the last that begins something */
};

typedef bool keep_fn(struct excerpt *excerpt, const char *line);

struct section {
	const char *title;
	const char *name;    /* of the command: left out where there is none */
	const char *command; /* NULL: the fault's address and ::name */
	unsigned lines;      /* at most */
	keep_fn *keep;       /* NULL: the first ones */
	const char *none;    /* instead of no line; NULL: no section */
	bool heap;           /* it tells of libkma's heap */
};

/* Of ::status what says how it ended, and how large it is. */
static bool keep_status(struct excerpt *excerpt, const char *line)
{
	static const char *const wanted[] = {
		"program ", "reason ", "fault ", "at ", "threads ", "memory "
	};

	(void)excerpt;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (strncmp(line, wanted[i], strlen(wanted[i])) == 0)
			return true;
	return false;
}

static bool ends_with(const char *line, const char *end)
{
	size_t length = strlen(line), tail = strlen(end);

	return length >= tail && strcmp(line + length - tail, end) == 0;
}

/* What is known of it; that it is nothing, ::status has said. */
static bool keep_fault(struct excerpt *excerpt, const char *line)
{
	(void)excerpt;
	return !ends_with(line, " is unknown") &&
	       !strstr(line, "was read as hexadecimal");
}

/* The caches that are damaged, or why nobody knows. */
static bool keep_damage(struct excerpt *excerpt, const char *line)
{
	(void)excerpt;
	return !ends_with(line, " clean") && !ends_with(line, "Integrity");
}

/* How it was looked is for who asks for it. */
static bool keep_leaks(struct excerpt *excerpt, const char *line)
{
	(void)excerpt;
	return strncmp(line, "roots:", 6) != 0 && *line != '-';
}

/* "N bytes for M allocations", and two frames behind that of malloc(). */
static bool keep_users(struct excerpt *excerpt, const char *line)
{
	excerpt->since = *line == ' ' ? excerpt->since + 1 : 0;
	return excerpt->since != 1 && excerpt->since < 4;
}

static const struct section sections[] = {
	{ "What happened", "status", "::status", 6, keep_status, NULL },
	{ "Where", "stack", "::stack", 6, NULL, "not known" },
	{ "At the address of the fault", "whatis", NULL, 4, keep_fault, NULL },
	{ "The allocator's last errors", "kma_error", "::kma_error", 8, NULL,
	  "none", true },
	{ "Damage", "kmem_verify", "::kmem_verify", 4, keep_damage,
	  "no buffer is damaged", true },
	{ "Leaks", "findleaks", "::findleaks", 6, keep_leaks, NULL, true },
	{ "Who holds most memory", "kmausers", "::kmausers", 9, keep_users,
	  "no audited buffer is large", true },
};

/* What a first look leads to. */
static const struct {
	const char *name, *text;
	bool heap;
} next[] = {
	{ "stacks", "::stacks               the stacks of all threads" },
	{ "findleaks", "::findleaks -d         each leak with its stack",
	  true },
	{ "whatis", "ADDRESS::whatis        what is there, and who made it" },
	{ "help",
	  "::help                 all there is; ::help NAME one of it" },
};

static void excerpt_deinit(struct excerpt *excerpt)
{
	free(excerpt->text);
	free(excerpt->lines);
}

/* Cut to what fits a line of the terminal. */
static void crop(char *line)
{
	if (strlen(line) > LINE_WIDTH)
		memcpy(line + LINE_WIDTH - 3, "...", sizeof("..."));
}

static struct err *split(struct excerpt *excerpt, const struct section *section,
			 bool cropped)
{
	char *line = excerpt->text;

	excerpt->lines = calloc(section->lines + 2, sizeof(*excerpt->lines));
	if (!excerpt->lines)
		return err_new(ERR_NO_MEMORY, "out of memory");
	while (line && *line && excerpt->count < section->lines) {
		char *end = strchr(line, '\n');

		if (end)
			*end = '\0';
		if (!section->keep || section->keep(excerpt, line)) {
			if (cropped)
				crop(line);
			excerpt->lines[excerpt->count++] = line;
		}
		line = end ? end + 1 : NULL;
	}
	if (!excerpt->count && section->none)
		excerpt->lines[excerpt->count++] = section->none;
	return NULL;
}

/* The command's failure is a line as well: the next section may do better. */
static struct err *run_command(struct session *session, const char *command,
			       struct excerpt *ret)
{
	size_t size = 0;
	FILE *stream = open_memstream(&ret->text, &size);
	struct sink sink = { .ops = &text_sink_ops,
			     .stream = stream,
			     .notes = stream };
	char why[512];

	if (!stream)
		return err_new(ERR_NO_MEMORY, "out of memory");
	sink_start(&sink);
	struct err *err = session_eval(session, command, &sink);
	if (err) {
		err_describe(err, why, sizeof(why));
		fprintf(stream, "not known: %s\n", why);
		err_free(err);
	}
	if (fclose(stream) != 0)
		return err_new(ERR_NO_MEMORY, "out of memory");
	return NULL;
}

static struct err *show_section(struct session *session,
				const struct section *section,
				const char *command, struct sink *out)
{
	bool cropped = out->ops == &text_sink_ops && !out->wide;
	struct excerpt excerpt = { 0 };
	int status = session->status;
	struct err *err = run_command(session, command, &excerpt);

	session->status = status; /* damage found is for who asks for it */
	if (!err)
		err = split(&excerpt, section, cropped);
	if (!err && excerpt.count) {
		sink_heading(out, "%s (%s)", section->title, command);
		SINK_ROW_AS(out, "", TEXT(section->title), TEXT(command),
			    LINES(excerpt.lines));
	}
	excerpt_deinit(&excerpt);
	return err;
}

/* Once, and not for each command that would need it. Frees why. */
static void show_no_heap(struct err *why, struct sink *out)
{
	bool without = err_code(why) == ERR_NOT_FOUND;
	char text[512];
	const char *const lines[] = {
		text,
		"so leaks, damage and who has memory are not known",
		without ? "kdbg run -- PROGRAM runs it under libkma" : NULL,
		NULL,
	};

	err_describe(why, text, sizeof(text));
	err_free(why);
	sink_heading(out, "The heap");
	SINK_ROW_AS(out, "", TEXT("The heap"), TEXT(NULL), LINES(lines));
}

static void show_next(const struct session *session, bool heap,
		      struct sink *out)
{
	sink_heading(out, "What to ask next");
	for (size_t i = 0; i < sizeof(next) / sizeof(next[0]); i++)
		if (session_dcmd(session, next[i].name) &&
		    (heap || !next[i].heap))
			sink_line(out, "        %s", next[i].text);
}

/* The command to run; false: nothing to tell here. */
static bool choose_command(const struct session *session,
			   const struct section *section, char *command,
			   size_t size)
{
	const struct dump_process *process = session->target->process;

	if (!session_dcmd(session, section->name))
		return false;
	if (section->command) {
		snprintf(command, size, "%s", section->command);
		return true;
	}
	/* Of a signal that was sent, the kernel has who sent it there. */
	if (!process || process->reason != DUMP_REASON_SIGNAL ||
	    !process->fault_address || process->signal_code <= 0)
		return false;
	snprintf(command, size, "0x%" PRIx64 "::%s", process->fault_address,
		 section->name);
	return true;
}

static struct err *doctor_run(const struct dcmd_call *call, struct sink *out)
{
	struct session *session = call->session;
	struct heap *heap;
	char command[64];

	if (!session->target)
		return err_new(ERR_NOT_FOUND, "no target is open");
	struct err *no_heap = session_heap(session, &heap), *err = NULL;
	bool has_heap = !no_heap;
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (err || out->failed || session_interrupted(session))
			break;
		if (sections[i].heap && !has_heap)
			continue;
		if (choose_command(session, &sections[i], command,
				   sizeof(command)))
			err = show_section(session, &sections[i], command, out);
	}
	if (!has_heap)
		show_no_heap(no_heap, out);
	if (!err && !session_interrupted(session))
		show_next(session, has_heap, out);
	return err;
}

const struct dcmd dcmd_doctor = {
	.name = "doctor",
	.summary = "the first look at a target, on one page",
	.help = "What happened, where, what is at the address of the fault, "
		"the allocator's last errors, damage, leaks and who holds most "
		"memory: of what the commands named say the lines that tell "
		"most, cut to the terminal. Each tells more when asked itself.",
	.example = "::doctor",
	.tables = doctor_tables,
	.table_count = 1,
	.run = doctor_run,
};
