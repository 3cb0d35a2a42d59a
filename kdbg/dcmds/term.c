/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::term - what kdbg takes the terminal to be. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/terminal.h"

#include <stdlib.h>

static const struct column term_columns[] = {
	{ "TYPE", VALUE_TEXT, .width = 16 },
	{ "COLUMNS", VALUE_COUNT },
	{ "WIDE", VALUE_TEXT, .width = 5 },
	{ "HEADINGS", VALUE_TEXT, .width = 10 },
	{ "PAGER", VALUE_TEXT },
};

static const struct table term_tables[] = { { "default", term_columns, 5 } };

static struct err *term_run(const struct dcmd_call *call, struct sink *out)
{
	const char *type = getenv("TERM"), *pager = getenv("PAGER");
	unsigned columns = terminal_columns();

	SINK_ROW(out, TEXT(type),
		 columns ? COUNT(columns) : ABSENT(VALUE_COUNT),
		 TEXT(out->wide ? "on" : "off"),
		 TEXT(out->emphasis ? "stand out" : "plain"),
		 TEXT(!call->session->pager ? "off"
		      : pager && *pager     ? pager
					    : "less"));
	return NULL;
}

const struct dcmd dcmd_term = {
	.name = "term",
	.summary = "what kdbg takes the terminal to be",
	.help = "Its type, its width (none where output is no terminal), "
		"whether tables have all their columns (as from 132 columns "
		"on, or ::set wide=on), whether headings stand out (not with "
		"NO_COLOR), and the pager.",
	.example = "::term",
	.tables = term_tables,
	.table_count = 1,
	.run = term_run,
};
