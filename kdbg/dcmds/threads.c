/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::threads - the threads of the process; the walker of their ids. */
#include "kdbg/arch.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/dcmds/thread_choice.h"
#include "kdbg/heap.h"
#include "kdbg/symbols.h"

enum { FUNCTION_SIZE = 512 };

static const struct column threads_columns[] = {
	{ "TID", VALUE_COUNT, .width = 8, .piped = true },
	{ "NAME", VALUE_TEXT, .width = 16 },
	{ "STATE", VALUE_TEXT, .width = 10 },
	{ "SP", VALUE_ADDRESS, .wide = true },
	{ "PC", VALUE_ADDRESS, .wide = true },
	{ "FUNCTION", VALUE_TEXT },
	/* -v */
	{ "CREATED BY", VALUE_COUNT, .line = 1 },
	{ "CREATED", VALUE_HEX, .width = 13, .line = 1 },
	{ "CREATION STACK", VALUE_LINES, .line = 1 },
};

enum {
	DEFAULT,
	VERBOSE,
	VERBOSE_COLUMNS = sizeof(threads_columns) / sizeof(threads_columns[0]),
	DEFAULT_COLUMNS = VERBOSE_COLUMNS - 3,
};

static const struct table threads_tables[] = {
	[DEFAULT] = { "default", threads_columns, DEFAULT_COLUMNS },
	[VERBOSE] = { "-v", threads_columns, VERBOSE_COLUMNS },
};

struct threads_options {
	bool verbose;
};

static const struct option threads_options[] = {
	{ 'v', "verbose", OPTION_FLAG,
	  offsetof(struct threads_options, verbose), NULL,
	  "who created each, and where, if libkma kept stacks then" },
};

/* Of the target's thread; time 0: not known. */
static struct heap_event creation_of(struct heap *heap, uint32_t tid)
{
	const struct heap_thread *record = heap ? heap_thread(heap, tid) : NULL;

	return record && record->live ? record->created
				      : (struct heap_event){ 0 };
}

static void emit_thread(const struct dcmd_call *call, struct symbols *symbols,
			struct heap *heap, const struct dump_thread *thread,
			struct sink *out)
{
	const struct threads_options *options = call->options;
	bool placed =
		thread->flags & (DUMP_THREAD_REGISTERS | DUMP_THREAD_SP_PC);
	struct heap_event created = creation_of(heap, thread->tid);
	struct stack_lines lines = { 0 };
	char function[FUNCTION_SIZE] = "";
	uint64_t sp = 0, pc = 0;

	if (placed) {
		arch_register_get(&thread->registers, "sp", &sp);
		arch_register_get(&thread->registers, "pc", &pc);
		symbols_format_pc(symbols, pc, function, sizeof(function));
	}
	if (created.time)
		stack_lines_add(&lines, call->session, heap, &created);
	const struct value row[VERBOSE_COLUMNS] = {
		COUNT(thread->tid),
		TEXT(thread->name),
		TEXT(thread_state(call->session->target->process, thread)),
		placed ? ADDRESS(sp) : ABSENT(VALUE_ADDRESS),
		placed ? ADDRESS(pc) : ABSENT(VALUE_ADDRESS),
		TEXT(placed ? function : NULL),
		created.time ? COUNT(created.thread) : ABSENT(VALUE_COUNT),
		created.time ? HEX(created.time_ns) : ABSENT(VALUE_HEX),
		LINES(lines.lines),
	};
	sink_row(out, row, options->verbose ? VERBOSE_COLUMNS : DEFAULT_COLUMNS,
		 NULL);
	stack_lines_deinit(&lines);
}

static struct err *threads_run(const struct dcmd_call *call, struct sink *out)
{
	const struct threads_options *options = call->options;
	const struct target *target = call->session->target;
	const struct dump_thread *thread;
	struct symbols *symbols;
	struct heap *heap = NULL;
	struct err *err = session_symbols(call->session, &symbols);

	if (err)
		return err;
	if (options->verbose) { /* without libkma there is little to add */
		err_free(session_heap(call->session, &heap));
		sink_table(out, &threads_tables[VERBOSE]);
	}
	if (call->has_address) {
		err = thread_choose(call, &thread);
		if (!err)
			emit_thread(call, symbols, heap, thread, out);
		return err;
	}
	for (size_t i = 0; i < target->thread_count && !out->failed; i++)
		emit_thread(call, symbols, heap, &target->threads[i], out);
	return NULL;
}

const struct dcmd dcmd_threads = {
	.name = "threads",
	.aliases = (const char *const[]){ "thread", "$l", "$L", NULL },
	.summary = "the threads of the process",
	.help = "Their ids (decimal, as the system shows them), names, where "
		"they were, and which of them crashed, was caught in a misuse, "
		"or was writing the dump. With -v also which thread created "
		"each, when, and by what calls, where libkma kept stacks when "
		"it did.",
	.example = "::threads",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "thread id",
	.options = threads_options,
	.option_count = sizeof(threads_options) / sizeof(threads_options[0]),
	.options_size = sizeof(struct threads_options),
	.tables = threads_tables,
	.table_count = sizeof(threads_tables) / sizeof(threads_tables[0]),
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
