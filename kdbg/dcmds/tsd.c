/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::tsd - what threads keep under the keys of pthread_key_create(). */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/thread_choice.h"
#include "kdbg/thread_local.h"

struct tsd_options {
	uint64_t key;
};

static const struct option tsd_options[] = {
	{ 'k', "key", OPTION_NUMBER, offsetof(struct tsd_options, key), "key",
	  "only this one" },
};

static const struct column tsd_columns[] = {
	{ "THREAD", VALUE_COUNT },
	{ "KEY", VALUE_COUNT, .width = 6 },
	{ "VALUE", VALUE_ADDRESS },
};

static const struct table tsd_tables[] = { { "default", tsd_columns, 3 } };

/* Zero is what a key has that was never set: nothing to show. */
static struct err *emit_keys(const struct dcmd_call *call,
			     struct symbols *symbols,
			     const struct dump_thread *thread, uint64_t first,
			     uint64_t last, struct sink *out)
{
	struct err *err = NULL;

	for (uint64_t key = first; key <= last && !err; key++) {
		uint64_t value;

		err = thread_specific(symbols, call->session->target, thread,
				      (unsigned)key, &value);
		if (!err && (value || first == last))
			SINK_ROW(out, COUNT(thread->tid), COUNT(key),
				 ADDRESS(value));
	}
	return err;
}

static struct err *tsd_run(const struct dcmd_call *call, struct sink *out)
{
	const struct tsd_options *options = call->options;
	const struct target *target = call->session->target;
	/* Key 0 is libc's own as a rule; without -k all are shown. */
	uint64_t first = options->key, last = first ? first : THREAD_KEYS - 1;
	const struct dump_thread *thread;
	struct symbols *symbols;
	struct err *err = session_symbols(call->session, &symbols);

	if (!err && first >= THREAD_KEYS)
		err = err_new(ERR_USAGE, "keys go up to %d", THREAD_KEYS - 1);
	if (!err && call->has_address) {
		err = thread_choose(call, &thread);
		return err ? err
			   : emit_keys(call, symbols, thread, first, last, out);
	}
	for (size_t i = 0; !err && i < target->thread_count; i++)
		err = emit_keys(call, symbols, &target->threads[i], first, last,
				out);
	return err;
}

const struct dcmd dcmd_tsd = {
	.name = "tsd",
	.summary = "what threads keep under keys: pthread_getspecific()",
	.help = "Without a thread's id, each thread's. Keys that a thread has "
		"set nothing for are left out, unless -k asks for one. What is "
		"shown for a key that was deleted is what was there last.",
	.example = "::tsd | ::whatis",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "thread id",
	.options = tsd_options,
	.option_count = 1,
	.options_size = sizeof(struct tsd_options),
	.tables = tsd_tables,
	.table_count = 1,
	.run = tsd_run,
};
