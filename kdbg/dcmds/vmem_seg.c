/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::vmem_seg - a segment of an arena, or those that pass a filter. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/heap_vmem.h"

#include <inttypes.h>
#include <string.h>

struct seg_options {
	bool size, verbose;
	const char *type;
	uint64_t caller, earliest, latest, smallest, largest, thread;
};

static const struct option seg_options[] = {
	{ 's', "size", OPTION_FLAG, offsetof(struct seg_options, size), NULL,
	  "the size in the place of the end" },
	{ 'v', "verbose", OPTION_FLAG, offsetof(struct seg_options, verbose),
	  NULL, "thread, time and stack of the allocation" },
	{ 'c', "caller", OPTION_SYMBOL, offsetof(struct seg_options, caller),
	  "function", "only if it, or this pc, is in the stack" },
	{ 'e', "earliest", OPTION_NUMBER,
	  offsetof(struct seg_options, earliest), "time",
	  "only at this timestamp or later" },
	{ 'l', "latest", OPTION_NUMBER, offsetof(struct seg_options, latest),
	  "time", "only at this timestamp or earlier" },
	{ 'm', "minsize", OPTION_NUMBER, offsetof(struct seg_options, smallest),
	  "size", "only of this size or larger" },
	{ 'M', "maxsize", OPTION_NUMBER, offsetof(struct seg_options, largest),
	  "size", "only of this size or smaller" },
	{ 't', "thread", OPTION_NUMBER, offsetof(struct seg_options, thread),
	  "thread", "only allocated by this thread" },
	{ 'T', "type", OPTION_TEXT, offsetof(struct seg_options, type), "type",
	  "only ALLOC, FREE or SPAN (ROTOR and WALKER: none here)" },
};

static const struct column end_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "TYPE", VALUE_TEXT, .width = 4 },
	{ "START", VALUE_ADDRESS },
	{ "END", VALUE_ADDRESS },
	{ "WHO", VALUE_TEXT },
	{ "SIZE", VALUE_SIZE, .wide = true },
	{ "REQUEST", VALUE_SIZE, .wide = true },
};

static const struct column size_columns[] = {
	{ "ADDR", VALUE_ADDRESS },  { "TYPE", VALUE_TEXT, .width = 4 },
	{ "START", VALUE_ADDRESS }, { "SIZE", VALUE_SIZE, .width = 16 },
	{ "WHO", VALUE_TEXT },      { "REQUEST", VALUE_SIZE, .wide = true },
};

static const struct column verbose_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "TYPE", VALUE_TEXT, .width = 4 },
	{ "START", VALUE_ADDRESS },
	{ "END", VALUE_ADDRESS },
	{ "SIZE", VALUE_SIZE, .width = 13 },
	{ "REQUEST", VALUE_SIZE, .width = 13, .line = 1 },
	{ "THREAD", VALUE_COUNT, .line = 1 },
	{ "TIMESTAMP", VALUE_HEX, .width = 13, .line = 1 },
	{ "STACK", VALUE_LINES },
};

enum { WITH_END, WITH_SIZE, VERBOSE };

static const struct table seg_tables[] = {
	[WITH_END] = { "default", end_columns,
		       sizeof(end_columns) / sizeof(end_columns[0]) },
	[WITH_SIZE] = { "-s", size_columns,
			sizeof(size_columns) / sizeof(size_columns[0]) },
	[VERBOSE] = { "-v", verbose_columns,
		      sizeof(verbose_columns) / sizeof(verbose_columns[0]) },
};

static const char *type_name(enum heap_segment_type type)
{
	static const char *const names[] = {
		[SEGMENT_ALLOC] = "ALLC",
		[SEGMENT_FREE] = "FREE",
		[SEGMENT_SPAN] = "SPAN",
	};

	return names[type];
}

/* mdb's names of types, long and short; NULL: not one. */
static const char *type_asked_for(const char *name)
{
	static const char *const names[][2] = {
		{ "ALLOC", "ALLC" },  { "ALLC", "ALLC" },  { "FREE", "FREE" },
		{ "SPAN", "SPAN" },   { "ROTOR", "ROTR" }, { "ROTR", "ROTR" },
		{ "WALKER", "WLKR" }, { "WLKR", "WLKR" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i][0]) == 0)
			return names[i][1];
	return NULL;
}

static bool about_event(const struct dcmd_call *call, struct heap *heap,
			const struct heap_event *event)
{
	const struct seg_options *options = call->options;

	if (options->earliest && event->time_ns < options->earliest)
		return false;
	if (options->latest &&
	    (!event->time || event->time_ns > options->latest))
		return false;
	if (options->thread && event->thread != options->thread)
		return false;
	return !options->caller ||
	       stack_has_caller(call->session, heap, event, options->caller);
}

static bool is_wanted(const struct dcmd_call *call, struct heap *heap,
		      const struct heap_segment *segment, const char *type)
{
	const struct seg_options *options = call->options;

	if (type && strcmp(type, type_name(segment->type)) != 0)
		return false;
	if (options->smallest && segment->length < options->smallest)
		return false;
	if (options->largest && segment->length > options->largest)
		return false;
	return about_event(call, heap, &segment->alloc);
}

static struct value request_of(const struct heap_segment *segment)
{
	return segment->type == SEGMENT_ALLOC ? SIZE(segment->size)
					      : ABSENT(VALUE_SIZE);
}

static void emit_verbose(const struct dcmd_call *call, struct heap *heap,
			 const struct heap_segment *segment, struct sink *out)
{
	const struct heap_event *event = &segment->alloc;
	struct stack_lines lines = { 0 };

	stack_lines_add(&lines, call->session, heap, event);
	SINK_ROW(out, ADDRESS(segment->address), TEXT(type_name(segment->type)),
		 ADDRESS(segment->start),
		 ADDRESS(segment->start + segment->length),
		 SIZE(segment->length), request_of(segment),
		 event->time ? COUNT(event->thread) : ABSENT(VALUE_COUNT),
		 event->time ? HEX(event->time_ns) : ABSENT(VALUE_HEX),
		 LINES(lines.lines));
	stack_lines_deinit(&lines);
}

static void emit_short(const struct dcmd_call *call, struct heap *heap,
		       const struct heap_segment *segment, struct sink *out)
{
	const struct seg_options *options = call->options;
	char caller[256] = "";
	const char *who = NULL;

	if (segment->cached)
		who = "slab of a quantum cache";
	if (segment->alloc.time) {
		stack_caller(call->session, heap, &segment->alloc, caller,
			     sizeof(caller));
		who = caller;
	}
	if (options->size)
		SINK_ROW(out, ADDRESS(segment->address),
			 TEXT(type_name(segment->type)),
			 ADDRESS(segment->start), SIZE(segment->length),
			 TEXT(who), request_of(segment));
	else
		SINK_ROW(out, ADDRESS(segment->address),
			 TEXT(type_name(segment->type)),
			 ADDRESS(segment->start),
			 ADDRESS(segment->start + segment->length), TEXT(who),
			 SIZE(segment->length), request_of(segment));
}

static struct err *vmem_seg_run(const struct dcmd_call *call, struct sink *out)
{
	const struct seg_options *options = call->options;
	const char *type = NULL;
	struct heap_segment segment;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	if (options->type && !(type = type_asked_for(options->type)))
		return err_new(ERR_USAGE,
			       "no type of segments: %s (ALLOC, FREE, SPAN, "
			       "ROTOR, WALKER)",
			       options->type);
	if (!heap_segment_at(heap, call->address, &segment))
		return err_new(ERR_NOT_FOUND,
			       "%#" PRIx64 " is not the tag of a segment: "
			       "ARENA::walk vmem_seg yields them",
			       call->address);
	if (!is_wanted(call, heap, &segment, type))
		return NULL;
	if (options->verbose && !call->to_pipe) {
		sink_table(out, &seg_tables[VERBOSE]);
		emit_verbose(call, heap, &segment, out);
		return NULL;
	}
	sink_table(out, &seg_tables[options->size ? WITH_SIZE : WITH_END]);
	emit_short(call, heap, &segment, out);
	return NULL;
}

const struct dcmd dcmd_vmem_seg = {
	.name = "vmem_seg",
	.summary = "a segment of an arena, or those that pass a filter",
	.help = "The address is that of a segment's tag, as the walkers "
		"vmem_seg, vmem_alloc, vmem_free and vmem_span yield them. In "
		"a pipe it yields the tags that pass all filters.\n\n"
		"WHO allocated it is known where the program ran audited. Of "
		"the heap, kmem_default and kmem_oversize the tags are the "
		"words of the page map.",
	.example = "::walk vmem | ::walk vmem_alloc | ::vmem_seg -s",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "segment",
	.options = seg_options,
	.option_count = sizeof(seg_options) / sizeof(seg_options[0]),
	.options_size = sizeof(struct seg_options),
	.tables = seg_tables,
	.table_count = sizeof(seg_tables) / sizeof(seg_tables[0]),
	.run = vmem_seg_run,
};
