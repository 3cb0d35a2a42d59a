/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::xdata - what the target tells besides its memory. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/target.h"

static const struct column xdata_columns[] = {
	{ "NAME", VALUE_TEXT, .width = 10 },
	{ "COUNT", VALUE_COUNT },
	{ "DESCRIPTION", VALUE_TEXT, .width = 38 },
	{ "COMMAND", VALUE_TEXT },
};

static const struct table xdata_tables[] = {
	{ "default", xdata_columns, 4 },
};

static struct err *xdata_run(const struct dcmd_call *call, struct sink *out)
{
	const struct target *target = call->session->target;

	if (!target)
		return err_new(ERR_NOT_FOUND, "no target is open");
	const struct {
		const char *name;
		size_t count;
		const char *description, *command;
	} rows[] = {
		{ "psinfo", target->process->pid != 0,
		  "the process: ids, times, "
		  "arguments",
		  "::status" },
		{ "siginfo", target->process->signal != 0,
		  "the signal that "
		  "ended it",
		  "::siginfo" },
		{ "lwpstatus", target->thread_count,
		  "threads and their "
		  "registers",
		  "::threads, ::regs" },
		{ "auxv", target->auxv_count,
		  "what the kernel told it at its "
		  "start",
		  "::auxv" },
		{ "map", target->map_count, "mappings", "::mappings" },
		{ "objects", target->module_count,
		  "programs and libraries, "
		  "with build ids",
		  "::objects" },
		{ "roots", target->root_count, "instances of libkma",
		  "::kmem_status" },
		{ "warnings", target->warning_count,
		  "what is missing or "
		  "damaged",
		  "::doctor" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].count)
			SINK_ROW(out, TEXT(rows[i].name), COUNT(rows[i].count),
				 TEXT(rows[i].description),
				 TEXT(rows[i].command));
	return NULL;
}

const struct dcmd dcmd_xdata = {
	.name = "xdata",
	.summary = "what the target tells besides its memory",
	.help = "Each kind of fact that a dump, a core or the system has of "
		"the process, how many there are, and the command that shows "
		"them. What is not there is not listed.",
	.example = "::xdata",
	.tables = xdata_tables,
	.table_count = 1,
	.run = xdata_run,
};
