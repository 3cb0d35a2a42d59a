/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::quit - leave. */
#include "kdbg/dcmds/dcmds.h"

static struct err *quit_run(const struct dcmd_call *call, struct sink *out)
{
	(void)out;
	call->session->quit = true;
	return NULL;
}

static const char *const quit_aliases[] = { "$q", "$Q", "$%", NULL };

const struct dcmd dcmd_quit = {
	.name = "quit",
	.aliases = quit_aliases,
	.summary = "leave kdbg",
	.help = "The end of the input (Ctrl-D at the prompt) does the same.",
	.example = "::quit",
	.run = quit_run,
};
