/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::siginfo - the signal that ended the process. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/status_reason.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 1024 };

static const struct column siginfo_columns[] = {
	{ "FIELD", VALUE_TEXT, .width = 10 },
	{ "VALUE", VALUE_SIGNED, .width = 18 },
	{ "MEANING", VALUE_TEXT },
};

static const struct table siginfo_tables[] = {
	{ "default", siginfo_columns, 3 },
};

static struct err *siginfo_run(const struct dcmd_call *call, struct sink *out)
{
	const struct target *target = call->session->target;
	char text[TEXT_SIZE];

	if (!target)
		return err_new(ERR_NOT_FOUND, "no target is open");
	const struct dump_process *process = target->process;
	if (!process->signal) {
		sink_note(out,
			  "no signal ended it: ::status tells why this %s "
			  "was made",
			  target->ops->kind);
		return NULL;
	}
	const char *name = sigabbrev_np((int)process->signal);
	snprintf(text, sizeof(text), "%s%s", name ? "SIG" : "",
		 name ? name : "a real-time signal");
	SINK_ROW(out, TEXT("si_signo"), SIGNED(process->signal), TEXT(text));
	SINK_ROW(out, TEXT("si_code"), SIGNED(process->signal_code),
		 TEXT(status_code_name(process)));
	if (status_fault(call->session, text, sizeof(text)))
		SINK_ROW(out, TEXT("si_addr"),
			 SIGNED((int64_t)process->fault_address), TEXT(text));
	if (process->crashed_thread) {
		const struct dump_thread *thread =
			target_thread(target, process->crashed_thread);

		SINK_ROW(out, TEXT("thread"), SIGNED(process->crashed_thread),
			 TEXT(thread ? thread->name : NULL));
	}
	if (status_where(call->session, text, sizeof(text)))
		sink_note(out, "it was at %s", text);
	return NULL;
}

const struct dcmd dcmd_siginfo = {
	.name = "siginfo",
	.summary = "the signal that ended the process",
	.help = "Its number, its code, the address it is about and what lies "
		"there, and the thread that took it. Without a signal there "
		"is nothing to tell.",
	.example = "::siginfo",
	.tables = siginfo_tables,
	.table_count = 1,
	.run = siginfo_run,
};
