/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::radix - the base of numbers without a prefix. */
#include "kdbg/dcmds/dcmds.h"

static const struct column radix_columns[] = { { "RADIX", VALUE_COUNT } };

static const struct table radix_tables[] = {
	{ "default", radix_columns, 1 },
};

enum { RADIX_LEAST = 2, RADIX_MOST = 16 };

static struct err *radix_run(const struct dcmd_call *call, struct sink *out)
{
	struct session *session = call->session;

	if (!call->has_address) {
		SINK_ROW(out, COUNT(session->radix));
		return NULL;
	}
	if (call->address < RADIX_LEAST || call->address > RADIX_MOST)
		return err_new(ERR_USAGE,
			       "a radix is 2 to 16 (0t10 is ten, 10 sixteen)");
	session->radix = (unsigned)call->address;
	return NULL;
}

static const char *const radix_aliases[] = { "$d", NULL };

const struct dcmd dcmd_radix = {
	.name = "radix",
	.aliases = radix_aliases,
	.summary = "show or set the base of numbers without a prefix",
	.help = "Numbers are hexadecimal at first. A prefix says otherwise "
		"for one number: 0t decimal, 0o octal, 0i binary, 0x "
		"hexadecimal.",
	.example = "0t10::radix",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "radix",
	.tables = radix_tables,
	.table_count = 1,
	.run = radix_run,
};
