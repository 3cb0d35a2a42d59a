/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::kmalog - the transaction log, newest first; ::kmem_log - its records. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/heap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NANOSECONDS = 1000000000 };

static const struct column kmalog_columns[] = {
	{ "addr", VALUE_ADDRESS },   { "record", VALUE_ADDRESS },
	{ "ago ns", VALUE_COUNT },   { "timestamp", VALUE_HEX },
	{ "operation", VALUE_TEXT }, { "size", VALUE_SIZE },
	{ "cache", VALUE_TEXT },     { "thread", VALUE_COUNT },
	{ "STACK", VALUE_LINES },
};

static const struct table kmalog_tables[] = {
	{ "default", kmalog_columns,
	  sizeof(kmalog_columns) / sizeof(kmalog_columns[0]),
	  .no_header = true },
};

static const char *operation_name(enum heap_operation operation)
{
	switch (operation) {
	case OPERATION_FREE:
		return "free";
	case OPERATION_REALLOC:
		return "realloc";
	case OPERATION_ALLOC:
		break;
	}
	return "alloc";
}

static struct heap_event event_of(const struct heap_log_record *record)
{
	return (struct heap_event){
		.time = record->time,
		.time_ns = record->time_ns,
		.thread = record->thread,
		.stack = record->stack,
		.instance = record->instance,
	};
}

static void emit_record(const struct dcmd_call *call, struct heap *heap,
			const struct heap_log_record *record, uint64_t newest,
			struct sink *out)
{
	const struct heap_event event = event_of(record);
	uint64_t ago = newest > record->time_ns ? newest - record->time_ns : 0;
	const char *cache = record->cache ? record->cache->name : "?";
	struct stack_lines lines = { 0 };
	char text[256];

	snprintf(text, sizeof(text),
		 "T-%" PRIu64 ".%09" PRIu64 "  addr=%" PRIx64
		 "  %s  %s %" PRIu64 " bytes, thread %" PRIu32,
		 ago / NANOSECONDS, ago % NANOSECONDS, record->buffer, cache,
		 operation_name(record->operation), record->size,
		 record->thread);
	stack_lines_add(&lines, call->session, heap, &event);
	SINK_ROW_AS(out, text, ADDRESS(record->buffer),
		    ADDRESS(record->address), COUNT(ago), HEX(record->time_ns),
		    TEXT(operation_name(record->operation)), SIZE(record->size),
		    TEXT(cache), COUNT(record->thread), LINES(lines.lines));
	stack_lines_deinit(&lines);
}

static bool covers(const struct heap_log_record *record, uint64_t address)
{
	return address == record->buffer ||
	       (address > record->buffer &&
		address - record->buffer < record->size);
}

/* ::kmalog or ::kmalog fail */
static struct err *choose_log(const struct dcmd_call *call, bool *failures)
{
	if (call->argc == 0)
		return NULL;
	if (call->argc > 1 || strcmp(call->argv[0], "fail") != 0)
		return err_new(ERR_USAGE,
			       "there is no log %s: without an argument it is "
			       "the transaction log, with \"fail\" that of "
			       "failures",
			       call->argv[0]);
	*failures = true;
	return NULL;
}

static struct err *kmalog_run(const struct dcmd_call *call, struct sink *out)
{
	struct heap_log_walk *walk;
	struct heap_log_record record;
	struct heap *heap;
	uint64_t newest = 0;
	bool any = false;
	struct err *err = session_heap(call->session, &heap);

	bool failures = false;

	if (!err)
		err = choose_log(call, &failures);
	if (!err)
		err = failures ? heap_log_open_failures(heap, &walk)
			       : heap_log_open(heap, &walk);
	if (err)
		return err;
	while (!session_interrupted(call->session) && !out->failed &&
	       heap_log_next(walk, &record)) {
		if (!any)
			newest = record.time_ns;
		any = true;
		if (!call->has_address || covers(&record, call->address))
			emit_record(call, heap, &record, newest, out);
	}
	heap_log_close(walk);
	heap_notes(heap, out);
	if (any && !heap_time_known(heap, record.instance))
		sink_note(out, "the clock's rate is not known: times are in "
			       "ticks");
	if (!any)
		sink_note(out,
			  "the %s log is empty, or was not kept: "
			  "KMA_LOGGING=%s=SIZE",
			  failures ? "failure" : "transaction",
			  failures ? "fail" : "transaction");
	return NULL;
}

const struct dcmd dcmd_kmalog = {
	.name = "kmalog",
	.aliases = (const char *const[]){ "umalog", NULL },
	.summary = "the transaction log with stacks, newest first",
	.help = "Every allocation and free that the log still has: how long "
		"before the newest, which buffer, cache, request and thread, "
		"and the stack. With an address, only what concerns the buffer "
		"that held it then. The log is kept under "
		"KMA_LOGGING=transaction=SIZE.\n\n"
		"With \"fail\", the allocations that could not be made, as "
		"KMA_LOGGING=fail=SIZE keeps them.",
	.example = "::kmalog",
	.arguments = "[fail]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "address in a buffer",
	.tables = kmalog_tables,
	.table_count = 1,
	.run = kmalog_run,
};

struct kmem_log_options {
	uint64_t buffer;
};

static const struct option kmem_log_options[] = {
	{ 'b', "buffer", OPTION_NUMBER,
	  offsetof(struct kmem_log_options, buffer), "address",
	  "only records of buffers that held this address" },
};

static const struct column kmem_log_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "BUFADDR", VALUE_ADDRESS },
	{ "TIMESTAMP", VALUE_HEX, .width = 13 },
	{ "THREAD", VALUE_COUNT },
	{ "OPERATION", VALUE_TEXT, .width = 9 },
	{ "SIZE", VALUE_SIZE },
};

static const struct table kmem_log_tables[] = {
	{ "default", kmem_log_columns,
	  sizeof(kmem_log_columns) / sizeof(kmem_log_columns[0]) },
};

static void emit_row(const struct kmem_log_options *options,
		     const struct heap_log_record *record, struct sink *out)
{
	if (options->buffer && !covers(record, options->buffer))
		return;
	SINK_ROW(out, ADDRESS(record->address), ADDRESS(record->buffer),
		 HEX(record->time_ns), COUNT(record->thread),
		 TEXT(operation_name(record->operation)), SIZE(record->size));
}

static struct err *kmem_log_run(const struct dcmd_call *call, struct sink *out)
{
	struct heap_log_walk *walk;
	struct heap_log_record record;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	if (call->has_address) {
		if (!heap_log_record_at(heap, call->address, &record))
			return err_new(ERR_NOT_FOUND,
				       "%#" PRIx64
				       " is not a record of the log",
				       call->address);
		emit_row(call->options, &record, out);
		return NULL;
	}
	err = heap_log_open(heap, &walk);
	if (err)
		return err;
	while (!session_interrupted(call->session) && !out->failed &&
	       heap_log_next(walk, &record))
		emit_row(call->options, &record, out);
	heap_log_close(walk);
	return NULL;
}

const struct dcmd dcmd_kmem_log = {
	.name = "kmem_log",
	.aliases = (const char *const[]){ "umem_log", NULL },
	.summary = "list the transaction log's records, or show one",
	.help = "One row for each record, newest first.",
	.example = "::kmem_log",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "log record",
	.options = kmem_log_options,
	.option_count = sizeof(kmem_log_options) / sizeof(kmem_log_options[0]),
	.options_size = sizeof(struct kmem_log_options),
	.tables = kmem_log_tables,
	.table_count = 1,
	.run = kmem_log_run,
};
