/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::kmalog - a log, newest first; ::kmem_log - the transaction log's records.
 */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/heap.h"
#include "kdbg/target.h"

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

static const char *slab_operation_name(enum heap_operation operation)
{
	return operation == OPERATION_FREE ? "destroy" : "create";
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

/* Which log, by ::kmalog's argument and the item of KMA_LOGGING. */
static const struct log_name {
	const char *argument; /* NULL: without one */
	enum heap_log_kind kind;
	const char *item;
} log_names[] = {
	{ NULL, LOG_TRANSACTIONS, "transaction" },
	{ "fail", LOG_FAILURES, "fail" },
	{ "slab", LOG_SLABS, "slab" },
	{ "contents", LOG_CONTENTS, "contents" },
};

/* The bytes that a freed buffer had, sixteen a line. */
static void add_contents(struct stack_lines *lines, struct session *session,
			 const struct heap_log_record *record)
{
	enum { WIDTH = 16 };
	unsigned char bytes[WIDTH];

	for (uint64_t at = 0; at < record->saved; at += WIDTH) {
		uint64_t left = record->saved - at;
		size_t count = left < WIDTH ? (size_t)left : WIDTH;
		char hex[3 * WIDTH + 1] = "", text[WIDTH + 1] = "";
		struct err *err = target_read(
			session->target, record->contents + at, bytes, count);

		if (err) {
			err_free(err);
			return;
		}
		for (size_t i = 0; i < count; i++) {
			bool prints = bytes[i] >= 0x20 && bytes[i] < 0x7f;

			snprintf(hex + 3 * i, 4, " %02x", bytes[i]);
			text[i] = prints ? (char)bytes[i] : '.';
		}
		stack_lines_text(lines, "+0x%-4" PRIx64 "%-48s  %s", at, hex,
				 text);
	}
}

static void emit_record(const struct dcmd_call *call, struct heap *heap,
			enum heap_log_kind kind,
			const struct heap_log_record *record, uint64_t newest,
			struct sink *out)
{
	const struct heap_event event = event_of(record);
	uint64_t ago = newest > record->time_ns ? newest - record->time_ns : 0;
	const char *cache = record->cache ? record->cache->name : "?";
	const char *operation = kind == LOG_SLABS
					? slab_operation_name(record->operation)
					: operation_name(record->operation);
	struct stack_lines lines = { 0 };
	char text[256];

	snprintf(text, sizeof(text),
		 "T-%" PRIu64 ".%09" PRIu64 "  addr=%" PRIx64
		 "  %s  %s %" PRIu64 " bytes, thread %" PRIu32,
		 ago / NANOSECONDS, ago % NANOSECONDS, record->buffer, cache,
		 operation, record->size, record->thread);
	if (kind == LOG_CONTENTS)
		add_contents(&lines, call->session, record);
	else
		stack_lines_add(&lines, call->session, heap, &event);
	SINK_ROW_AS(out, text, ADDRESS(record->buffer),
		    ADDRESS(record->address), COUNT(ago), HEX(record->time_ns),
		    TEXT(operation), SIZE(record->size), TEXT(cache),
		    COUNT(record->thread), LINES(lines.lines));
	stack_lines_deinit(&lines);
}

static bool covers(const struct heap_log_record *record, uint64_t address)
{
	return address == record->buffer ||
	       (address > record->buffer &&
		address - record->buffer < record->size);
}

static struct err *choose_log(const struct dcmd_call *call,
			      const struct log_name **ret)
{
	*ret = &log_names[0];
	if (call->argc == 0)
		return NULL;
	if (call->argc > 1)
		return err_new(ERR_USAGE, "one log at a time");
	for (size_t i = 1; i < sizeof(log_names) / sizeof(log_names[0]); i++)
		if (strcmp(call->argv[0], log_names[i].argument) == 0) {
			*ret = &log_names[i];
			return NULL;
		}
	return err_new(ERR_USAGE,
		       "there is no log %s: without an argument it is the "
		       "transaction log, else \"fail\", \"slab\" or "
		       "\"contents\"",
		       call->argv[0]);
}

/* last: a record of it, NULL if there was none. */
static void tell_of_log(struct heap *heap, const struct log_name *log,
			const struct heap_log_record *last, struct sink *out)
{
	heap_notes(heap, out);
	if (last && !heap_time_known(heap, last->instance))
		sink_note(out, "the clock's rate is not known: times are in "
			       "ticks");
	if (!last)
		sink_note(out,
			  "the %s log is empty, or was not kept: "
			  "KMA_LOGGING=%s=SIZE",
			  log->kind == LOG_FAILURES ? "failure" : log->item,
			  log->item);
}

static struct err *kmalog_run(const struct dcmd_call *call, struct sink *out)
{
	const struct log_name *log;
	struct heap_log_walk *walk;
	struct heap_log_record record;
	struct heap *heap;
	uint64_t newest = 0;
	bool any = false;
	struct err *err = session_heap(call->session, &heap);

	if (!err)
		err = choose_log(call, &log);
	if (!err)
		err = heap_log_open(heap, log->kind, &walk);
	if (err)
		return err;
	while (!session_interrupted(call->session) && !out->failed &&
	       heap_log_next(walk, &record)) {
		if (!any)
			newest = record.time_ns;
		any = true;
		if (!call->has_address || covers(&record, call->address))
			emit_record(call, heap, log->kind, &record, newest,
				    out);
	}
	heap_log_close(walk);
	tell_of_log(heap, log, any ? &record : NULL, out);
	return NULL;
}

static void kmalog_words(void (*found)(void *context, const char *word),
			 void *context)
{
	found(context, "fail");
	found(context, "slab");
	found(context, "contents");
}

const struct dcmd dcmd_kmalog = {
	.name = "kmalog",
	.aliases = (const char *const[]){ "umalog", NULL },
	.summary = "the transaction log, or another, newest first",
	.help = "Every allocation and free that the log still has: how long "
		"before the newest, which buffer, cache, request and thread, "
		"and the stack. With an address, only what concerns the buffer "
		"that held it then. The log is kept under "
		"KMA_LOGGING=transaction=SIZE.\n\n"
		"Other logs are shown by name. \"fail\": the allocations that "
		"could not be made. \"slab\": where the caches' slabs came "
		"from and went, with the stacks that made the heap grow. "
		"\"contents\": the first bytes of each buffer when it was "
		"freed (KMA_DEBUG=contents=BYTES says how many). Each is kept "
		"under KMA_LOGGING=NAME=SIZE.",
	.example = "::kmalog",
	.arguments = "[fail|slab|contents]",
	.words = kmalog_words,
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
	bool any = false;
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
	err = heap_log_open(heap, LOG_TRANSACTIONS, &walk);
	if (err)
		return err;
	while (!session_interrupted(call->session) && !out->failed &&
	       heap_log_next(walk, &record)) {
		any = true;
		emit_row(call->options, &record, out);
	}
	heap_log_close(walk);
	tell_of_log(heap, &log_names[0], any ? &record : NULL, out);
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
