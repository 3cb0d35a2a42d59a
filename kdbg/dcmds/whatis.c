/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::whatis - what is at an address. */
#include "kdbg/whatis.h"

#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/stack_lines.h"

#include <inttypes.h>
#include <stdio.h>

struct whatis_options {
	bool all, bufctl, quiet;
};

static const struct option whatis_options[] = {
	{ 'a', "all", OPTION_FLAG, offsetof(struct whatis_options, all), NULL,
	  "every answer, not only the most particular" },
	{ 'b', "bufctl", OPTION_FLAG, offsetof(struct whatis_options, bufctl),
	  NULL, "in a pipe, yield the bufctl's address instead of the base" },
	{ 'q', "quiet", OPTION_FLAG, offsetof(struct whatis_options, quiet),
	  NULL, "no stacks" },
};

/* The first address is what a pipe carries on. */
static const struct column base_columns[] = {
	{ "base", VALUE_ADDRESS },  { "address", VALUE_ADDRESS },
	{ "offset", VALUE_SIGNED }, { "kind", VALUE_TEXT },
	{ "what", VALUE_TEXT },     { "name", VALUE_TEXT },
	{ "cache", VALUE_TEXT },    { "state", VALUE_TEXT },
	{ "size", VALUE_SIZE },     { "bufctl", VALUE_ADDRESS },
	{ "thread", VALUE_COUNT },  { "timestamp", VALUE_HEX },
	{ "STACK", VALUE_LINES },   { "FREE STACK", VALUE_LINES, .line = 1 },
};

static const struct table whatis_tables[] = {
	{ "default", base_columns,
	  sizeof(base_columns) / sizeof(base_columns[0]), .no_header = true },
};

static const char *state_name(const struct whatis_answer *answer)
{
	if (answer->kind != WHATIS_BUFFER)
		return NULL;
	return buffer_state_name(answer->buffer.state);
}

static void format_text(const struct whatis_answer *answer, uint64_t address,
			char *text, size_t size)
{
	const struct heap_buffer *buffer = &answer->buffer;
	bool before = address < answer->base;
	uint64_t offset =
		before ? answer->base - address : address - answer->base;
	char place[320], detail[160] = "";

	if (answer->name[0])
		snprintf(place, sizeof(place), "%s", answer->name);
	else
		snprintf(place, sizeof(place), "%" PRIx64, answer->base);
	if (buffer->bufctl)
		snprintf(detail, sizeof(detail),
			 " (%" PRIu64 " bytes, bufctl %" PRIx64 ")",
			 buffer->size, buffer->bufctl);
	snprintf(text, size, "%" PRIx64 " is %s%c%" PRIx64 ", %s%s", address,
		 place, before ? '-' : '+', offset, answer->what, detail);
}

static void emit_answer(const struct dcmd_call *call, uint64_t address,
			const struct whatis_answer *answer, struct sink *out)
{
	const struct whatis_options *options = call->options;
	const struct heap_buffer *buffer = &answer->buffer;
	bool record = buffer->bufctl != 0;
	const struct heap_event *event =
		buffer->state == BUFFER_FREE ? &buffer->free : &buffer->alloc;
	struct stack_lines alloc = { 0 }, freed = { 0 };
	uint64_t yields = answer->base;
	struct heap *heap = NULL;
	char text[2048];

	format_text(answer, address, text, sizeof(text));
	if (record && !options->quiet) {
		/* The answer came from it: it has been opened. */
		err_free(session_heap(call->session, &heap));
		stack_lines_add(&alloc, call->session, heap, &buffer->alloc);
		stack_lines_add(&freed, call->session, heap, &buffer->free);
	}
	if (call->to_pipe && options->bufctl && record)
		yields = buffer->bufctl;
	SINK_ROW_AS(out, text, ADDRESS(yields), ADDRESS(address),
		    SIGNED((int64_t)(address - answer->base)),
		    TEXT(whatis_kind_name(answer->kind)), TEXT(answer->what),
		    TEXT(answer->name[0] ? answer->name : NULL),
		    TEXT(answer->cache), TEXT(state_name(answer)),
		    answer->kind == WHATIS_BUFFER ? SIZE(buffer->size)
						  : ABSENT(VALUE_SIZE),
		    record ? ADDRESS(buffer->bufctl) : ABSENT(VALUE_ADDRESS),
		    event->time ? COUNT(event->thread) : ABSENT(VALUE_COUNT),
		    event->time ? HEX(event->time_ns) : ABSENT(VALUE_HEX),
		    LINES(alloc.lines), LINES(freed.lines));
	stack_lines_deinit(&alloc);
	stack_lines_deinit(&freed);
}

static void emit_unknown(uint64_t address, struct sink *out)
{
	char text[64];

	snprintf(text, sizeof(text), "%" PRIx64 " is unknown", address);
	SINK_ROW_AS(out, text, ABSENT(VALUE_ADDRESS), ADDRESS(address),
		    ABSENT(VALUE_SIGNED), TEXT("unknown"), TEXT("unknown"),
		    TEXT(NULL), TEXT(NULL), TEXT(NULL), ABSENT(VALUE_SIZE),
		    ABSENT(VALUE_ADDRESS), ABSENT(VALUE_COUNT),
		    ABSENT(VALUE_HEX), LINES(NULL), LINES(NULL));
}

static struct err *whatis_run(const struct dcmd_call *call, struct sink *out)
{
	const struct whatis_options *options = call->options;
	const uint64_t *list = call->list ? call->list : &call->address;
	size_t count = call->list ? call->list_count : 1;

	for (size_t i = 0; i < count && !out->failed; i++) {
		struct whatis_answer answers[WHATIS_KIND_COUNT];
		size_t found =
			whatis_find(call->session, list[i], answers,
				    options->all ? WHATIS_KIND_COUNT : 1);

		if (session_interrupted(call->session))
			break;
		if (found == 0)
			emit_unknown(list[i], out);
		for (size_t j = 0; j < found; j++)
			emit_answer(call, list[i], &answers[j], out);
	}
	return NULL;
}

const struct dcmd dcmd_whatis = {
	.name = "whatis",
	.summary = "what is at an address",
	.help = "Looks for the address in buffers (allocated, freed, their "
		"redzones and canaries), slabs, segments of arenas, "
		"the allocator's own "
		"structures, symbols of modules, threads' stacks and mappings, "
		"in this order, and tells of the first that has it. An audited "
		"buffer's record follows: the stack that allocated it, and the "
		"one that freed it last.",
	.example = "::walk thread | ::whatis -a",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "thing",
	.options = whatis_options,
	.option_count = sizeof(whatis_options) / sizeof(whatis_options[0]),
	.options_size = sizeof(struct whatis_options),
	.tables = whatis_tables,
	.table_count = 1,
	.takes_list = true,
	.run = whatis_run,
};
