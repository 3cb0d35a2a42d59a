/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::waiters - who sleeps for memory. */
#include "kdbg/dcmds/age.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/heap.h"
#include "kdbg/heap_clients.h"

static const struct column waiters_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "THREAD", VALUE_COUNT, .width = 8 },
	{ "KIND", VALUE_TEXT, .width = 6 },
	{ "FOR", VALUE_TEXT, .width = 24 },
	{ "SIZE", VALUE_SIZE, .width = 9 },
	{ "SLEPT MS", VALUE_COUNT, .width = 8 },
	{ "STACK", VALUE_LINES },
};

static const struct table waiters_tables[] = {
	{ "default", waiters_columns,
	  sizeof(waiters_columns) / sizeof(waiters_columns[0]) },
};

static struct err *waiters_run(const struct dcmd_call *call, struct sink *out)
{
	const struct heap_waiter *waiters;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	size_t count = heap_waiters(heap, &waiters);

	for (size_t i = 0; i < count && !out->failed; i++) {
		const struct heap_waiter *waiter = &waiters[i];
		struct heap_event event = { .stack = waiter->stack,
					    .time = 1,
					    .instance = waiter->instance };
		struct stack_lines stack = { 0 };

		stack_lines_add(&stack, call->session, heap, &event);
		SINK_ROW(out, ADDRESS(waiter->address), COUNT(waiter->thread),
			 TEXT(waiter->kind), TEXT(waiter->name),
			 SIZE(waiter->size),
			 age_value(call->session, waiter->since_ns),
			 LINES(stack.lines));
		stack_lines_deinit(&stack);
	}
	heap_notes(heap, out);
	return NULL;
}

const struct dcmd dcmd_waiters = {
	.name = "waiters",
	.summary = "threads that sleep for memory, and for which",
	.help = "Each thread that waits in an allocation which may sleep: for "
		"the heap, for the limit of a cache or of a type, or for an "
		"arena; how much it asked for, how many milliseconds ago, and "
		"where.",
	.example = "::waiters",
	.tables = waiters_tables,
	.table_count = 1,
	.run = waiters_run,
};
