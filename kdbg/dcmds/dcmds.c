/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::dcmds - the commands there are. */
#include "kdbg/dcmds/dcmds.h"

static const struct column dcmds_columns[] = {
	{ "NAME", VALUE_TEXT, .width = 20 },
	{ "SUMMARY", VALUE_TEXT },
};

static const struct table dcmds_tables[] = {
	{ "default", dcmds_columns, 2 },
};

static struct err *dcmds_run(const struct dcmd_call *call, struct sink *out)
{
	const struct session *session = call->session;

	for (size_t i = 0; session->dcmds[i]; i++)
		SINK_ROW(out, TEXT(session->dcmds[i]->name),
			 TEXT(session->dcmds[i]->summary));
	return NULL;
}

const struct dcmd dcmd_dcmds = {
	.name = "dcmds",
	.summary = "list the commands",
	.help = "Every command with one line on what it does. ::help NAME "
		"tells "
		"all about one of them.",
	.example = "::dcmds",
	.tables = dcmds_tables,
	.table_count = 1,
	.run = dcmds_run,
};
