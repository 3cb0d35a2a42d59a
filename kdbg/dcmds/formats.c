/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::formats - the letters of addr/X and value=X. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/format.h"

static const struct column formats_columns[] = {
	{ "LETTER", VALUE_TEXT, .width = 6 },
	{ "MEANING", VALUE_TEXT },
};

static const struct table formats_tables[] = {
	{ "default", formats_columns, 2 },
};

static struct err *formats_run(const struct dcmd_call *call, struct sink *out)
{
	const struct format *formats;
	size_t count = format_letters(&formats);

	(void)call;
	for (size_t i = 0; i < count; i++) {
		const char letter[] = { formats[i].letter, '\0' };

		SINK_ROW(out, TEXT(letter), TEXT(formats[i].help));
	}
	return NULL;
}

const struct dcmd dcmd_formats = {
	.name = "formats",
	.summary = "list the letters that format memory and values",
	.help = "address/2XnS shows two words, a newline and a string; "
		"value=D shows the value in decimal. A decimal number before "
		"a letter repeats it.",
	.example = "::formats",
	.tables = formats_tables,
	.table_count = 1,
	.run = formats_run,
};
