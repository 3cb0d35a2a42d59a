/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::attach - look at another process, core or dump. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/target.h"
#include "kdbg/target_live.h"

#include <limits.h>
#include <stdlib.h>

static const struct column attach_columns[] = {
	{ "KIND", VALUE_TEXT, .width = 8 },
	{ "PID", VALUE_COUNT, .width = 8 },
	{ "THREADS", VALUE_COUNT, .width = 8 },
	{ "PROGRAM", VALUE_TEXT },
};

static const struct table attach_tables[] = {
	{ "default", attach_columns, 4 },
};

/* A word of digits is a process's number, as everybody writes them. */
static pid_t parse_pid(const char *word)
{
	char *end;
	long number = strtol(word, &end, 10);

	return *end || number < 1 || number > INT_MAX ? 0 : (pid_t)number;
}

static struct err *open_target(const struct dcmd_call *call,
			       struct target **ret)
{
	const struct target *old = call->session->target;
	const struct target_options options = {
		.sysroot = old ? old->sysroot : NULL,
		.debuginfod = old && old->debuginfod,
	};
	pid_t pid = call->has_address ? (pid_t)call->address
				      : parse_pid(call->argv[0]);

	if (call->has_address && call->address > INT_MAX)
		return err_new(ERR_USAGE, "no process has such a number");
	return pid ? target_live_open(pid, &options, ret)
		   : target_open(call->argv[0], &options, ret);
}

static struct err *attach_run(const struct dcmd_call *call, struct sink *out)
{
	struct session *session = call->session;
	struct target *target = NULL;

	/* What runs around it stands on the target that goes. */
	if (call->piped || session->depth)
		return err_new(ERR_USAGE, "only as a command of its own");
	if (call->argc + call->has_address != 1)
		return err_new(ERR_USAGE, "which process, core or dump?");
	struct err *err = open_target(call, &target);
	if (err)
		return err;
	session_attach(session, target);
	const struct dump_process *process = target->process;
	SINK_ROW(out, TEXT(target->ops->kind),
		 process ? COUNT(process->pid) : ABSENT(VALUE_COUNT),
		 COUNT(target->thread_count),
		 TEXT(process ? process->executable : NULL));
	for (size_t i = 0; i < target->warning_count; i++)
		sink_note(out, "%s", target->warnings[i]);
	return NULL;
}

const struct dcmd dcmd_attach = {
	.name = "attach",
	.aliases = (const char *const[]){ ":A", NULL },
	.summary = "look at another process, core or dump",
	.help = "A number is a process's, in decimal; an address before :: is "
		"one as numbers are read. Anything else is a file. What was "
		"looked at until now is closed: a process goes on, variables "
		"and dot mean what they meant there.",
	.example = "::attach old.kdump",
	.arguments = "[pid | file]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "process's number",
	.tables = attach_tables,
	.table_count = 1,
	.run = attach_run,
};
