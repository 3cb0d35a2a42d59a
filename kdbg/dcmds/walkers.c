/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::walkers - the named iterations there are. */
#include "kdbg/dcmds/dcmds.h"

static const struct column walkers_columns[] = {
	{ "NAME", VALUE_TEXT, .width = 20 },
	{ "ADDRESS", VALUE_TEXT, .width = 10 },
	{ "SUMMARY", VALUE_TEXT },
};

static const struct table walkers_tables[] = {
	{ "default", walkers_columns, 3 },
};

static const char *address_of(const struct walker *walker)
{
	return walker->address_use == ADDRESS_NONE ? NULL : walker->address_is;
}

static struct err *walkers_run(const struct dcmd_call *call, struct sink *out)
{
	const struct session *session = call->session;

	for (size_t i = 0; session->walkers[i]; i++)
		SINK_ROW(out, TEXT(session->walkers[i]->name),
			 TEXT(address_of(session->walkers[i])),
			 TEXT(session->walkers[i]->summary));
	return NULL;
}

const struct dcmd dcmd_walkers = {
	.name = "walkers",
	.summary = "list the walkers",
	.help = "Every walker with what its address names, where it takes one, "
		"and what it yields. ::walk NAME runs one.",
	.example = "::walkers",
	.tables = walkers_tables,
	.table_count = 1,
	.run = walkers_run,
};
