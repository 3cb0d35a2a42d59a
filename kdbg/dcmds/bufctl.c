/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ::bufctl - what happened to an audited buffer last; a filter in pipes.
 *
 * The last transaction is the allocation of a buffer that is allocated and the
 * free of one that is free: the short record, and the filters by time, thread
 * and caller, tell of that one. -v shows both.
 */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/heap.h"

#include <inttypes.h>

struct bufctl_options {
	bool verbose, history;
	uint64_t address, caller, earliest, latest, thread;
};

static const struct option bufctl_options[] = {
	{ 'v', "verbose", OPTION_FLAG, offsetof(struct bufctl_options, verbose),
	  NULL, "the whole record, with both stacks" },
	{ 'h', "history", OPTION_FLAG, offsetof(struct bufctl_options, history),
	  NULL, "what the transaction log has on the buffer, newest first" },
	{ 'a', "buffer", OPTION_NUMBER,
	  offsetof(struct bufctl_options, address), "address",
	  "only if the buffer holds this address" },
	{ 'c', "caller", OPTION_SYMBOL, offsetof(struct bufctl_options, caller),
	  "function", "only if it, or this pc, is in the stack" },
	{ 'e', "earliest", OPTION_NUMBER,
	  offsetof(struct bufctl_options, earliest), "time",
	  "only at this timestamp or later" },
	{ 'l', "latest", OPTION_NUMBER, offsetof(struct bufctl_options, latest),
	  "time", "only at this timestamp or earlier" },
	{ 't', "thread", OPTION_NUMBER, offsetof(struct bufctl_options, thread),
	  "thread", "only by this thread" },
};

static const struct column short_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "BUFADDR", VALUE_ADDRESS },
	{ "TIMESTAMP", VALUE_HEX, .width = 13 },
	{ "THREAD", VALUE_COUNT },
	{ "CALLER", VALUE_TEXT },
	{ "STATE", VALUE_TEXT, .width = 9, .wide = true },
	{ "SIZE", VALUE_SIZE, .wide = true },
};

static const struct column verbose_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "BUFADDR", VALUE_ADDRESS },
	{ "TIMESTAMP", VALUE_HEX, .width = 13 },
	{ "THREAD", VALUE_COUNT },
	{ "CACHE", VALUE_TEXT, .width = 16, .line = 1 },
	{ "SIZE", VALUE_SIZE, .width = 9, .line = 1 },
	{ "STATE", VALUE_TEXT, .width = 9, .line = 1 },
	{ "FREE TIMESTAMP", VALUE_HEX, .width = 14, .line = 1 },
	{ "FREE THREAD", VALUE_COUNT, .width = 11, .line = 1 },
	{ "STACK", VALUE_LINES },
	{ "FREE STACK", VALUE_LINES, .line = 1 },
	{ "LASTLOG", VALUE_ADDRESS, .line = 1, .wide = true },
	{ "CONTENTS", VALUE_ADDRESS, .line = 1, .wide = true },
};

enum { SHORT, VERBOSE };

static const struct table bufctl_tables[] = {
	[SHORT] = { "default", short_columns,
		    sizeof(short_columns) / sizeof(short_columns[0]) },
	[VERBOSE] = { "-v", verbose_columns,
		      sizeof(verbose_columns) / sizeof(verbose_columns[0]) },
};

static const struct heap_event *last_event(const struct heap_buffer *buffer)
{
	return buffer->state == BUFFER_FREE ? &buffer->free : &buffer->alloc;
}

static bool wanted(const struct dcmd_call *call, struct heap *heap,
		   const struct heap_buffer *buffer)
{
	const struct bufctl_options *options = call->options;
	const struct heap_event *event = last_event(buffer);
	const struct heap_slab *slabs;

	heap_slabs(heap, &slabs);
	if (options->address &&
	    (options->address < buffer->start ||
	     options->address - buffer->start >= slabs[buffer->slab].stride))
		return false;
	if (options->earliest && event->time_ns < options->earliest)
		return false;
	if (options->latest && event->time_ns > options->latest)
		return false;
	if (options->thread && event->thread != options->thread)
		return false;
	return !options->caller ||
	       stack_has_caller(call->session, heap, event, options->caller);
}

static struct value timestamp(const struct heap_event *event)
{
	return event->time ? HEX(event->time_ns) : ABSENT(VALUE_HEX);
}

static struct value thread(const struct heap_event *event)
{
	return event->time ? COUNT(event->thread) : ABSENT(VALUE_COUNT);
}

static void emit_short(const struct dcmd_call *call, struct heap *heap,
		       const struct heap_buffer *buffer, struct sink *out)
{
	const struct heap_event *event = last_event(buffer);
	char caller[256];

	stack_caller(call->session, heap, event, caller, sizeof(caller));
	SINK_ROW(out, ADDRESS(buffer->bufctl), ADDRESS(buffer->user),
		 timestamp(event), thread(event), TEXT(caller),
		 TEXT(buffer_state_name(buffer->state)), SIZE(buffer->size));
}

/* The log's record of an event of the buffer's. False: it has none. */
static bool find_logged(struct heap *heap, enum heap_log_kind kind,
			const struct heap_buffer *buffer,
			const struct heap_event *event,
			struct heap_log_record *ret)
{
	const struct heap_log_entry *entries;
	size_t count;
	struct err *err =
		heap_log_history(heap, kind, buffer->user, &entries, &count);

	err_free(err);
	for (size_t i = 0; !err && event->time && i < count; i++)
		if (entries[i].time == event->time)
			return heap_log_record_at(heap, entries[i].record, ret);
	return false;
}

static void emit_verbose(const struct dcmd_call *call, struct heap *heap,
			 const struct heap_buffer *buffer, struct sink *out)
{
	struct stack_lines alloc = { 0 }, freed = { 0 };
	struct heap_log_record last = { 0 }, saved = { 0 };

	find_logged(heap, LOG_TRANSACTIONS, buffer, last_event(buffer), &last);
	find_logged(heap, LOG_CONTENTS, buffer, &buffer->free, &saved);
	stack_lines_add(&alloc, call->session, heap, &buffer->alloc);
	stack_lines_add(&freed, call->session, heap, &buffer->free);
	SINK_ROW(out, ADDRESS(buffer->bufctl), ADDRESS(buffer->user),
		 timestamp(&buffer->alloc), thread(&buffer->alloc),
		 TEXT(heap_cache_of(heap, buffer->slab)->name),
		 SIZE(buffer->size), TEXT(buffer_state_name(buffer->state)),
		 timestamp(&buffer->free), thread(&buffer->free),
		 LINES(alloc.lines), LINES(freed.lines),
		 last.address ? ADDRESS(last.address) : ABSENT(VALUE_ADDRESS),
		 saved.contents ? ADDRESS(saved.contents)
				: ABSENT(VALUE_ADDRESS));
	stack_lines_deinit(&alloc);
	stack_lines_deinit(&freed);
}

static void emit_logged(const struct dcmd_call *call, struct heap *heap,
			const struct heap_log_record *record, struct sink *out)
{
	const struct heap_event event = {
		.time = record->time,
		.time_ns = record->time_ns,
		.thread = record->thread,
		.stack = record->stack,
		.instance = record->instance,
	};
	char caller[256];

	stack_caller(call->session, heap, &event, caller, sizeof(caller));
	SINK_ROW(out, ADDRESS(record->address), ADDRESS(record->buffer),
		 timestamp(&event), thread(&event), TEXT(caller),
		 TEXT(record->operation == OPERATION_FREE ? "free"
							  : "allocated"),
		 SIZE(record->size));
}

/* The log's records of the buffer; the first is the transaction that the bufctl
 * tells of, so it is left out. */
static struct err *emit_history(const struct dcmd_call *call, struct heap *heap,
				const struct heap_buffer *buffer,
				struct sink *out)
{
	const struct heap_log_entry *entries;
	struct heap_log_record record;
	size_t count;
	struct err *err = heap_log_history(heap, LOG_TRANSACTIONS, buffer->user,
					   &entries, &count);

	if (err)
		return err;
	if (count == 0 && !call->piped)
		sink_note(out, "the transaction log has nothing on the buffer, "
			       "or was not kept: KMA_LOGGING=transaction=SIZE");
	sink_table(out, &bufctl_tables[SHORT]);
	for (size_t i = 0;
	     i < count && !out->failed && !session_interrupted(call->session);
	     i++)
		if (entries[i].time != last_event(buffer)->time &&
		    heap_log_record_at(heap, entries[i].record, &record))
			emit_logged(call, heap, &record, out);
	return NULL;
}

static struct err *bufctl_run(const struct dcmd_call *call, struct sink *out)
{
	const struct bufctl_options *options = call->options;
	struct heap_buffer buffer;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	if (!heap_buffer_of_bufctl(heap, call->address, &buffer) &&
	    (!heap_buffer_at(heap, call->address, &buffer) || !buffer.bufctl))
		return err_new(ERR_NOT_FOUND,
			       "%#" PRIx64 " is neither a bufctl nor in an "
			       "audited buffer",
			       call->address);
	if (!wanted(call, heap, &buffer))
		return NULL;
	if (options->verbose && !call->to_pipe) {
		sink_table(out, &bufctl_tables[VERBOSE]);
		emit_verbose(call, heap, &buffer, out);
	} else {
		emit_short(call, heap, &buffer, out);
	}
	return options->history ? emit_history(call, heap, &buffer, out) : NULL;
}

const struct dcmd dcmd_bufctl = {
	.name = "bufctl",
	.aliases = (const char *const[]){ "bufctl_audit", NULL },
	.summary = "the audit record of a buffer, or those that pass a filter",
	.help = "A bufctl records who allocated a buffer and who freed it: "
		"thread, time and stack. The address is that of a bufctl, or "
		"any in an audited buffer. In a pipe it yields the addresses "
		"of the bufctls that pass all filters.\n\n"
		"The short form shows the last transaction: the allocation of "
		"a buffer that is allocated, the free of one that is free. "
		"Filters judge that one. Timestamps are nanoseconds of "
		"CLOCK_MONOTONIC. With -v, LASTLOG is the log's record of that "
		"transaction, and CONTENTS where the contents log keeps the "
		"bytes that the buffer had when it was last freed; both where "
		"the output is wide and with -j.",
	.example = "::walk bufctl | ::bufctl -c main",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "bufctl",
	.options = bufctl_options,
	.option_count = sizeof(bufctl_options) / sizeof(bufctl_options[0]),
	.options_size = sizeof(struct bufctl_options),
	.tables = bufctl_tables,
	.table_count = sizeof(bufctl_tables) / sizeof(bufctl_tables[0]),
	.run = bufctl_run,
};
