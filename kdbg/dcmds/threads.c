/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::threads - the threads of the process; the walker of their ids. */
#include "kdbg/arch.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/thread_choice.h"
#include "kdbg/symbols.h"

enum { FUNCTION_SIZE = 512 };

static const struct column threads_columns[] = {
	{ "TID", VALUE_COUNT, .width = 8, .piped = true },
	{ "NAME", VALUE_TEXT, .width = 16 },
	{ "STATE", VALUE_TEXT, .width = 10 },
	{ "SP", VALUE_ADDRESS, .wide = true },
	{ "PC", VALUE_ADDRESS, .wide = true },
	{ "FUNCTION", VALUE_TEXT },
};

static const struct table threads_tables[] = {
	{ "default", threads_columns,
	  sizeof(threads_columns) / sizeof(threads_columns[0]) },
};

static void emit_thread(struct symbols *symbols,
			const struct dump_process *process,
			const struct dump_thread *thread, struct sink *out)
{
	const char *state = thread_state(process, thread);
	char function[FUNCTION_SIZE];
	uint64_t sp = 0, pc = 0;

	if (!(thread->flags & (DUMP_THREAD_REGISTERS | DUMP_THREAD_SP_PC))) {
		SINK_ROW(out, COUNT(thread->tid), TEXT(thread->name),
			 TEXT(state), ABSENT(VALUE_ADDRESS),
			 ABSENT(VALUE_ADDRESS), TEXT(NULL));
		return;
	}
	arch_register_get(&thread->registers, "sp", &sp);
	arch_register_get(&thread->registers, "pc", &pc);
	symbols_format_pc(symbols, pc, function, sizeof(function));
	SINK_ROW(out, COUNT(thread->tid), TEXT(thread->name), TEXT(state),
		 ADDRESS(sp), ADDRESS(pc), TEXT(function));
}

static struct err *threads_run(const struct dcmd_call *call, struct sink *out)
{
	const struct target *target = call->session->target;
	const struct dump_thread *thread;
	struct symbols *symbols;
	struct err *err = session_symbols(call->session, &symbols);

	if (err)
		return err;
	if (call->has_address) {
		err = thread_choose(call, &thread);
		if (!err)
			emit_thread(symbols, target->process, thread, out);
		return err;
	}
	for (size_t i = 0; i < target->thread_count && !out->failed; i++)
		emit_thread(symbols, target->process, &target->threads[i], out);
	return NULL;
}

const struct dcmd dcmd_threads = {
	.name = "threads",
	.aliases = (const char *const[]){ "thread", "$l", "$L", NULL },
	.summary = "the threads of the process",
	.help = "Their ids (decimal, as the system shows them), names, where "
		"they were, and which of them crashed, was caught in a misuse, "
		"or was writing the dump.",
	.example = "::threads",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "thread id",
	.tables = threads_tables,
	.table_count = 1,
	.run = threads_run,
};

static struct err *walk_threads(struct session *session, bool has_address,
				uint64_t address, walk_fn *each, void *context)
{
	const struct target *target = session->target;

	(void)has_address;
	(void)address;
	for (size_t i = 0; i < target->thread_count; i++)
		if (!each(context, target->threads[i].tid))
			break;
	return NULL;
}

const struct walker walker_thread = {
	.name = "thread",
	.summary = "the ids of the process's threads",
	.address_use = ADDRESS_NONE,
	.walk = walk_threads,
};
