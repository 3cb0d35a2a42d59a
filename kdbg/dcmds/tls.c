/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::tls - where a thread-local variable lies in a thread. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/thread_choice.h"
#include "kdbg/thread_local.h"

#include <inttypes.h>
#include <stdio.h>

static const struct column tls_columns[] = {
	{ "THREAD", VALUE_COUNT },
	{ "ADDRESS", VALUE_ADDRESS },
	{ "SIZE", VALUE_SIZE },
	{ "SYMBOL", VALUE_TEXT },
	{ "OBJECT", VALUE_TEXT, .wide = true },
};

static const struct table tls_tables[] = {
	{ "default", tls_columns,
	  sizeof(tls_columns) / sizeof(tls_columns[0]) },
};

static struct err *emit(const struct dcmd_call *call, struct symbols *symbols,
			const struct dump_thread *thread, struct sink *out)
{
	struct symbol symbol;
	uint64_t address;
	struct err *err =
		thread_local_address(symbols, call->session->target, thread,
				     call->argv[0], &symbol, &address);

	if (!err)
		SINK_ROW(out, COUNT(thread->tid), ADDRESS(address),
			 SIZE(symbol.size), TEXT(call->argv[0]),
			 TEXT(symbol.module));
	return err;
}

/* Of all threads; those that have none yet are told. */
static struct err *emit_all(const struct dcmd_call *call,
			    struct symbols *symbols, struct sink *out)
{
	const struct target *target = call->session->target;
	struct symbol symbol;
	struct err *err =
		symbols_find_thread_local(symbols, call->argv[0], &symbol);

	if (err)
		return err;
	for (size_t i = 0; i < target->thread_count; i++) {
		char text[256];

		err = emit(call, symbols, &target->threads[i], out);
		if (!err)
			continue;
		err_describe(err, text, sizeof(text));
		err_free(err);
		sink_note(out, "%s", text);
	}
	return NULL;
}

static struct err *tls_run(const struct dcmd_call *call, struct sink *out)
{
	const struct dump_thread *thread;
	struct symbols *symbols;
	struct err *err = session_symbols(call->session, &symbols);

	if (!err && call->argc != 1)
		err = err_new(ERR_USAGE, "which variable?");
	if (!err && !call->has_address)
		return emit_all(call, symbols, out);
	if (!err)
		err = thread_choose(call, &thread);
	return err ? err : emit(call, symbols, thread, out);
}

const struct dcmd dcmd_tls = {
	.name = "tls",
	.summary = "where a thread-local variable lies in a thread",
	.help = "Without a thread's id, each thread's. In an expression the "
		"name of a thread-local variable is its address in the "
		"representative thread.\n\n"
		"A thread that has not used the variables of a library that "
		"was loaded by dlopen() may have none of them yet.",
	.example = "::tls errno",
	.arguments = "variable",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "thread id",
	.tables = tls_tables,
	.table_count = 1,
	.run = tls_run,
};
