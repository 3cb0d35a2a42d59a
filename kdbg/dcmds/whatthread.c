/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::whatthread - whose stack holds a value. */
#include "kdbg/arch.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/memory_search.h"
#include "kdbg/target.h"

struct whatthread_options {
	bool verbose;
};

static const struct option whatthread_options[] = {
	{ 'v', NULL, OPTION_FLAG, offsetof(struct whatthread_options, verbose),
	  NULL, "every place, and whether the stack is in use there" },
};

static const struct column thread_columns[] = {
	{ "TID", VALUE_COUNT, .width = 8, .piped = true },
	{ "NAME", VALUE_TEXT },
};
static const struct column place_columns[] = {
	{ "TID", VALUE_COUNT, .width = 8, .piped = true },
	{ "ADDR", VALUE_ADDRESS },
	{ "STACK", VALUE_TEXT, .width = 10 },
	{ "NAME", VALUE_TEXT },
};

enum { TABLE_THREADS, TABLE_PLACES };
static const struct table whatthread_tables[] = {
	[TABLE_THREADS] = { "default", thread_columns, 2 },
	[TABLE_PLACES] = { "-v", place_columns, 4 },
};

struct finder {
	const struct dump_thread *thread;
	uint64_t sp;
	bool verbose;
	struct sink *out;
};

static bool emit(void *context, uint64_t address)
{
	const struct finder *f = context;
	const struct dump_thread *thread = f->thread;

	if (!f->verbose) {
		SINK_ROW(f->out, COUNT(thread->tid), TEXT(thread->name));
		return false;
	}
	SINK_ROW(f->out, COUNT(thread->tid), ADDRESS(address),
		 TEXT(address >= f->sp ? "active" : "below sp"),
		 TEXT(thread->name));
	return !f->out->failed;
}

static struct err *whatthread_run(const struct dcmd_call *call,
				  struct sink *out)
{
	const struct whatthread_options *options = call->options;
	const struct target *target = call->session->target;
	const struct memory_pattern pattern = { .size = 8,
						.mask = UINT64_MAX,
						.low = call->address };
	size_t unknown = 0;

	if (!target)
		return err_new(ERR_NOT_FOUND, "no target is open");
	if (options->verbose)
		sink_table(out, &whatthread_tables[TABLE_PLACES]);
	for (size_t i = 0; i < target->thread_count && !out->failed; i++) {
		struct finder f = { .thread = &target->threads[i],
				    .verbose = options->verbose,
				    .out = out };
		const struct dump_map *map = NULL;

		if (f.thread->flags &
		    (DUMP_THREAD_REGISTERS | DUMP_THREAD_SP_PC)) {
			arch_register_get(&f.thread->registers, "sp", &f.sp);
			map = target_map_at(target, f.sp);
		}
		if (!map) {
			unknown++;
			continue;
		}
		memory_search(call->session, &pattern,
			      (struct memory_range){ map->start, map->end },
			      emit, &f);
	}
	if (unknown)
		sink_note(out, "The stacks of %zu threads are not known",
			  unknown);
	return NULL;
}

const struct dcmd dcmd_whatthread = {
	.name = "whatthread",
	.summary = "the threads whose stack holds a value",
	.help = "Looks for the value as an aligned word in the mapping that "
		"each thread's stack pointer points to. What stands below the "
		"stack pointer was left behind by calls that have returned.",
	.example = "main::whatthread -v",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "value",
	.options = whatthread_options,
	.option_count = 1,
	.options_size = sizeof(struct whatthread_options),
	.tables = whatthread_tables,
	.table_count = 2,
	.run = whatthread_run,
};
