/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ::whyleak - who had this leaked buffer last?
 *
 * What is known of a buffer that nothing holds: who allocated it, what the
 * transaction log says of it, and where copies of its address are left - in
 * other leaked buffers, in freed ones, in slack, below stack pointers and in
 * the stacks of ended threads. None of these is proof; each is where to look.
 */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/refs.h"
#include "kdbg/target.h"

#include <inttypes.h>
#include <stdio.h>

enum { TEXT_SIZE = 512, LINE_SIZE = 768, TRACES_MAX = 32 };

struct whyleak_options {
	uint64_t limit;
};

static const struct option whyleak_options[] = {
	{ 'n', "limit", OPTION_NUMBER, offsetof(struct whyleak_options, limit),
	  "count", "at most so many traces and log records (32)" },
};

static const struct column whyleak_columns[] = {
	{ "WHAT", VALUE_TEXT },     { "ADDR", VALUE_ADDRESS },
	{ "INTO", VALUE_SIZE },     { "THREAD", VALUE_COUNT },
	{ "TIME NS", VALUE_COUNT }, { "TEXT", VALUE_TEXT },
	{ "STACK", VALUE_LINES },
};

static const struct table whyleak_tables[] = {
	{ "default", whyleak_columns,
	  sizeof(whyleak_columns) / sizeof(whyleak_columns[0]),
	  .no_header = true },
};

struct report {
	const struct dcmd_call *call;
	struct heap *heap;
	struct places *places;
	struct sink *out;
	uint64_t limit, shown, left_out;
	struct heap_buffer buffer;
};

static const char *ended_text(struct report *report, uint32_t tid)
{
	return target_thread(report->call->session->target, tid)
		       ? ""
		       : ", which has ended";
}

/* An event of the buffer's life, with its stack. */
static void put_event(struct report *report, const char *what,
		      const struct heap_event *event)
{
	struct stack_lines lines = { 0 };
	char text[TEXT_SIZE];

	snprintf(text, sizeof(text), "%s by thread %u%s:", what, event->thread,
		 ended_text(report, event->thread));
	stack_lines_add(&lines, report->call->session, report->heap, event);
	SINK_ROW_AS(report->out, text, TEXT(what), ADDRESS(report->buffer.user),
		    ABSENT(VALUE_SIZE), COUNT(event->thread),
		    COUNT(event->time_ns), TEXT(text), LINES(lines.lines));
	stack_lines_deinit(&lines);
}

static struct err *put_log(struct report *report)
{
	static const char *const names[] = {
		[OPERATION_ALLOC] = "logged allocation",
		[OPERATION_FREE] = "logged free",
		[OPERATION_REALLOC] = "logged realloc",
	};
	const struct heap_log_entry *entries;
	struct heap_log_record record;
	uint64_t shown = 0;
	size_t count;
	struct err *err =
		heap_log_history(report->heap, LOG_TRANSACTIONS,
				 report->buffer.user, &entries, &count);

	if (err)
		return err;
	for (size_t i = 0;
	     i < count && shown < report->limit && !report->out->failed &&
	     !session_interrupted(report->call->session);
	     i++) {
		if (entries[i].time == report->buffer.alloc.time ||
		    !heap_log_record_at(report->heap, entries[i].record,
					&record))
			continue;
		const struct heap_event event = {
			.time = record.time,
			.time_ns = record.time_ns,
			.thread = record.thread,
			.stack = record.stack,
			.instance = record.instance,
		};

		put_event(report, names[record.operation], &event);
		shown++;
	}
	return NULL;
}

static const char *trace_text(enum place_kind kind)
{
	switch (kind) {
	case PLACE_LEAKED:
		return "held by another leaked buffer";
	case PLACE_FREED:
		return "left in a freed buffer";
	case PLACE_SLACK:
		return "left in the slack of a buffer";
	case PLACE_STALE:
		return "left in memory not in use";
	default:
		return "held by";
	}
}

static bool put_trace(void *context, const struct ref *ref)
{
	struct report *report = context;
	const struct place *place = &ref->place;
	char text[TEXT_SIZE], line[LINE_SIZE], inner[32] = "";

	if (report->shown >= report->limit) {
		report->left_out++;
		return true;
	}
	if (ref->offset)
		snprintf(inner, sizeof(inner), " (to +%#" PRIx64 ")",
			 ref->offset);
	places_describe(report->places, place, text, sizeof(text));
	snprintf(line, sizeof(line), "%s%s: %" PRIx64 " %s",
		 trace_text(place->kind), inner, place->address, text);
	SINK_ROW_AS(report->out, line, TEXT(place_kind_name(place->kind)),
		    place->address ? ADDRESS(place->address)
				   : ABSENT(VALUE_ADDRESS),
		    SIZE(ref->offset), ABSENT(VALUE_COUNT), ABSENT(VALUE_COUNT),
		    TEXT(text), LINES(NULL));
	report->shown++;
	return !report->out->failed;
}

static struct err *check_leaked(struct report *report)
{
	uint64_t address = report->call->address;
	const struct heap_slab *slabs;
	struct reach *reach;
	struct err *err = session_reach(report->call->session, &reach);

	if (err)
		return err;
	if (!heap_buffer_at(report->heap,
			    refs_buffer_address(report->heap, address),
			    &report->buffer))
		return err_new(ERR_NOT_FOUND, "%#" PRIx64 " is in no buffer",
			       address);
	heap_slabs(report->heap, &slabs);
	switch (reach_class_of(reach, slabs[report->buffer.slab].first_buffer +
					      report->buffer.index)) {
	case REACH_LEAKED:
		return NULL;
	case REACH_NOT_LIVE:
		return err_new(ERR_NOT_FOUND, "%#" PRIx64 " is not allocated",
			       address);
	case REACH_PLAIN:
	case REACH_POSSIBLE:
		break;
	}
	return err_new(ERR_NOT_FOUND,
		       "%#" PRIx64 " is not leaked (::whylive tells why)",
		       address);
}

static struct err *put_traces(struct report *report)
{
	const struct refs_range range =
		refs_range_of(report->heap, report->buffer.user);
	struct err *err = refs_find(report->call->session, report->places,
				    &range, put_trace, report);

	if (err || report->call->to_pipe)
		return err;
	if (!report->shown)
		sink_note(report->out,
			  "no copy of its address is left: the last was "
			  "overwritten, or filled when its holder was freed");
	if (report->left_out)
		sink_note(report->out, "%" PRIu64 " more traces (-n)",
			  report->left_out);
	return NULL;
}

static struct err *whyleak_run(const struct dcmd_call *call, struct sink *out)
{
	const struct whyleak_options *options = call->options;
	struct report report = {
		.call = call,
		.out = out,
		.limit = options->limit ? options->limit : TRACES_MAX,
	};
	struct err *err = session_heap(call->session, &report.heap);

	if (!err)
		err = check_leaked(&report);
	if (!err)
		err = places_create(call->session, &report.places);
	if (err)
		return err;
	if (report.buffer.alloc.time)
		put_event(&report, "allocated", &report.buffer.alloc);
	err = put_log(&report);
	if (!err)
		err = put_traces(&report);
	places_destroy(report.places);
	return err;
}

const struct dcmd dcmd_whyleak = {
	.name = "whyleak",
	.summary = "who had this leaked buffer last",
	.help = "Who allocated it, what the transaction log has of it, and "
		"where copies of its address are left: in other leaked "
		"buffers, in freed ones, in slack, in parts of stacks that are "
		"not in use. Such a trace often names the structure or the "
		"function that lost it. A bufctl stands for its buffer.",
	.example = "::walk leak | ::head 1 | ::whyleak",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "leaked buffer",
	.options = whyleak_options,
	.option_count = sizeof(whyleak_options) / sizeof(whyleak_options[0]),
	.options_size = sizeof(struct whyleak_options),
	.tables = whyleak_tables,
	.table_count = 1,
	.run = whyleak_run,
};
