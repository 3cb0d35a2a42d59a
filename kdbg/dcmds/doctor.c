/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ::doctor - the first look at a target, on one page.
 *
 * It finds out nothing itself: it asks the commands that do, and shows the
 * beginning of what each says. What cannot be told here (no heap, no fault) is
 * left out or says why.
 */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct column doctor_columns[] = {
	{ "SECTION", VALUE_TEXT },
	{ "COMMAND", VALUE_TEXT },
	{ "LINES", VALUE_LINES },
};

static const struct table doctor_tables[] = {
	{ "default", doctor_columns, 3, .no_header = true },
};

struct section {
	const char *title;
	const char *name;    /* of the command: left out where there is none */
	const char *command; /* NULL: the fault's address and ::name */
	unsigned lines;      /* at most */
};

static const struct section sections[] = {
	{ "What happened", "status", "::status", 16 },
	{ "Where", "stack", "::stack", 12 },
	{ "At the address of the fault", "whatis", NULL, 16 },
	{ "The allocator's last errors", "kma_error", "::kma_error", 24 },
	{ "Damage", "kmem_verify", "::kmem_verify", 12 },
	{ "Leaks", "findleaks", "::findleaks", 12 },
	{ "Who holds most memory", "kmausers", "::kmausers", 14 },
};

/* What a command prints, cut after some lines. */
struct excerpt {
	char *text;
	const char **lines; /* into text, NULL-terminated */
};

static void excerpt_deinit(struct excerpt *excerpt)
{
	free(excerpt->text);
	free(excerpt->lines);
}

static struct err *split(struct excerpt *excerpt, unsigned most,
			 const char *more)
{
	size_t count = 0;
	char *next = excerpt->text;

	excerpt->lines = calloc(most + 2, sizeof(*excerpt->lines));
	if (!excerpt->lines)
		return err_new(ERR_NO_MEMORY, "out of memory");
	while (next && *next && count < most) {
		char *line = next;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		excerpt->lines[count++] = line;
	}
	if (next && *next)
		excerpt->lines[count] = more;
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
	struct excerpt excerpt = { 0 };
	int status = session->status;
	char more[128], title[128];
	struct err *err = run_command(session, command, &excerpt);

	session->status = status; /* damage found is for who asks for it */
	snprintf(more, sizeof(more), "... (%s shows all)", command);
	if (!err)
		err = split(&excerpt, section->lines, more);
	snprintf(title, sizeof(title), "%s (%s)", section->title, command);
	if (!err && out->row_count)
		sink_line(out, "%s", "");
	if (!err)
		SINK_ROW_AS(out, title, TEXT(section->title), TEXT(command),
			    LINES(excerpt.lines));
	excerpt_deinit(&excerpt);
	return err;
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
	if (!process || process->reason != DUMP_REASON_SIGNAL ||
	    !process->fault_address)
		return false;
	snprintf(command, size, "0x%" PRIx64 "::%s", process->fault_address,
		 section->name);
	return true;
}

static struct err *doctor_run(const struct dcmd_call *call, struct sink *out)
{
	struct session *session = call->session;
	struct err *err = NULL;
	char command[64];

	if (!session->target)
		return err_new(ERR_NOT_FOUND, "no target is open");
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (err || out->failed || session_interrupted(session))
			break;
		if (choose_command(session, &sections[i], command,
				   sizeof(command)))
			err = show_section(session, &sections[i], command, out);
	}
	return err;
}

const struct dcmd dcmd_doctor = {
	.name = "doctor",
	.summary = "the first look at a target, on one page",
	.help = "What happened, where, what is at the address of the fault, "
		"the allocator's last errors, damage, leaks and who holds most "
		"memory: the beginning of what the commands named say. Each "
		"tells more when asked itself.",
	.example = "::doctor",
	.tables = doctor_tables,
	.table_count = 1,
	.run = doctor_run,
};
