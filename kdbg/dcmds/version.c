/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::version - which kdbg this is. */
#include "kdbg/dcmds/dcmds.h"

static const struct column version_columns[] = {
	{ "NAME", VALUE_TEXT, .width = 10 },
	{ "VERSION", VALUE_TEXT },
};

static const struct table version_tables[] = {
	{ "default", version_columns, 2, .no_header = true },
};

static struct err *version_run(const struct dcmd_call *call, struct sink *out)
{
	(void)call;
	SINK_ROW(out, TEXT("kdbg"), TEXT(KMA_VERSION));
	return NULL;
}

const struct dcmd dcmd_version = {
	.name = "version",
	.summary = "show the version of kdbg",
	.help = "That of the allocator in the target is in ::status.",
	.example = "::version",
	.tables = version_tables,
	.table_count = 1,
	.run = version_run,
};
