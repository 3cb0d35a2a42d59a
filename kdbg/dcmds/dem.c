/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::dem - names of C++ and Rust as a person writes them. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/demangle.h"

#include <stdio.h>
#include <stdlib.h>

static const struct column dem_columns[] = {
	{ "NAME", VALUE_TEXT },
	{ "DEMANGLED", VALUE_TEXT },
};

static const struct table dem_tables[] = {
	{ "default", dem_columns, 2, .no_header = true },
};

static struct err *dem_run(const struct dcmd_call *call, struct sink *out)
{
	struct demangler demangler = { 0 };

	if (!call->argc)
		return err_new(ERR_USAGE, "which name?");
	for (int i = 0; i < call->argc && !out->failed; i++) {
		const char *name = call->argv[i];
		char *readable = demangle(&demangler, name);
		char *line = NULL;

		if (asprintf(&line, "%s == %s", name,
			     readable ? readable : name) < 0)
			line = NULL;
		SINK_ROW_AS(out, line, TEXT(name),
			    TEXT(readable ? readable : name));
		free(line);
		free(readable);
	}
	demangler_deinit(&demangler);
	return NULL;
}

const struct dcmd dcmd_dem = {
	.name = "dem",
	.summary = "show what mangled names of C++ and Rust stand for",
	.help = "A name that is not mangled, or that cannot be read, stays as "
		"it is. Everywhere else kdbg shows names demangled.",
	.example = "::dem _ZNKSt6vectorIiSaIiEE4sizeEv",
	.arguments = "name ...",
	.tables = dem_tables,
	.table_count = 1,
	.run = dem_run,
};
