/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::whatis - what is at an address. */
#include "kdbg/whatis.h"

#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/radix_hint.h"

#include <inttypes.h>
#include <stdio.h>

struct whatis_options {
	bool all, bufctl, identifier, keep, list, quiet, verbose;
};

static const struct option whatis_options[] = {
	{ 'a', "all", OPTION_FLAG, offsetof(struct whatis_options, all), NULL,
	  "every answer, not only the most particular" },
	{ 'b', "bufctl", OPTION_FLAG, offsetof(struct whatis_options, bufctl),
	  NULL, "in a pipe, yield the bufctl's address instead of the base" },
	{ 'i', "identifier", OPTION_FLAG,
	  offsetof(struct whatis_options, identifier), NULL,
	  "it is no address but a number: of a thread, or of an arena" },
	{ 'k', "keep", OPTION_FLAG, offsetof(struct whatis_options, keep), NULL,
	  "in the order of the addresses, as without" },
	{ 'l', "list", OPTION_FLAG, offsetof(struct whatis_options, list), NULL,
	  "list where is looked, in this order" },
	{ 'q', "quiet", OPTION_FLAG, offsetof(struct whatis_options, quiet),
	  NULL, "no stacks" },
	{ 'v', "verbose", OPTION_FLAG, offsetof(struct whatis_options, verbose),
	  NULL, "tell where it was looked for in vain" },
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

static const struct column place_columns[] = {
	{ "NAME", VALUE_TEXT, .width = 12 },
	{ "WHAT IS LOOKED AT", VALUE_TEXT },
};

enum { TABLE_ANSWERS, TABLE_PLACES };
static const struct table whatis_tables[] = {
	[TABLE_ANSWERS] = { "default", base_columns,
			    sizeof(base_columns) / sizeof(base_columns[0]),
			    .no_header = true },
	[TABLE_PLACES] = { "-l", place_columns, 2 },
};

static bool is_buffer(const struct whatis_answer *answer)
{
	return answer->kind == WHATIS_BUFFER || answer->kind == WHATIS_CARRIER;
}

static const char *state_name(const struct whatis_answer *answer)
{
	return is_buffer(answer) ? buffer_state_name(answer->buffer.state)
				 : NULL;
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
		    is_buffer(answer) ? SIZE(buffer->size) : ABSENT(VALUE_SIZE),
		    record ? ADDRESS(buffer->bufctl) : ABSENT(VALUE_ADDRESS),
		    event->time ? COUNT(event->thread) : ABSENT(VALUE_COUNT),
		    event->time ? HEX(event->time_ns) : ABSENT(VALUE_HEX),
		    LINES(alloc.lines), LINES(freed.lines));
	stack_lines_deinit(&alloc);
	stack_lines_deinit(&freed);
}

static void emit_unknown(const struct dcmd_call *call, uint64_t address,
			 struct sink *out)
{
	char text[64], hint[RADIX_HINT_SIZE];

	snprintf(text, sizeof(text), "%" PRIx64 " is unknown", address);
	SINK_ROW_AS(out, text, ABSENT(VALUE_ADDRESS), ADDRESS(address),
		    ABSENT(VALUE_SIGNED), TEXT("unknown"), TEXT("unknown"),
		    TEXT(NULL), TEXT(NULL), TEXT(NULL), ABSENT(VALUE_SIZE),
		    ABSENT(VALUE_ADDRESS), ABSENT(VALUE_COUNT),
		    ABSENT(VALUE_HEX), LINES(NULL), LINES(NULL));
	if (!call->piped && radix_hint(call->session, address, hint))
		sink_note(out, "%s", hint);
}

/* The kinds that were asked and had nothing: up to the answer where one is
 * enough. */
static void tell_vain(const struct dcmd_call *call,
		      const struct whatis_answer *answers, size_t found,
		      uint64_t address, struct sink *out)
{
	const struct whatis_options *options = call->options;
	unsigned kind = options->identifier ? WHATIS_ADDRESS_KINDS : 0;
	unsigned end =
		options->identifier ? WHATIS_KIND_COUNT : WHATIS_ADDRESS_KINDS;
	size_t next = 0;

	for (; kind < end; kind++) {
		if (next < found && answers[next].kind == kind)
			next++;
		else
			sink_note(out, "%" PRIx64 " is not in: %s", address,
				  whatis_kind_summary(kind));
		if (next == found && found && !options->all)
			break;
	}
}

static void tell(const struct dcmd_call *call, uint64_t address,
		 struct sink *out)
{
	const struct whatis_options *options = call->options;
	struct whatis_answer answers[WHATIS_KIND_COUNT];
	size_t most = options->all ? WHATIS_KIND_COUNT : 1;
	size_t found =
		options->identifier
			? whatis_find_identifier(call->session, address,
						 answers, most)
			: whatis_find(call->session, address, answers, most);

	if (session_interrupted(call->session))
		return;
	if (options->verbose)
		tell_vain(call, answers, found, address, out);
	if (found == 0)
		emit_unknown(call, address, out);
	for (size_t i = 0; i < found; i++)
		emit_answer(call, address, &answers[i], out);
}

static void list_places(struct sink *out)
{
	sink_table(out, &whatis_tables[TABLE_PLACES]);
	for (unsigned i = 0; i < WHATIS_KIND_COUNT; i++)
		SINK_ROW(out, TEXT(whatis_kind_name(i)),
			 TEXT(whatis_kind_summary(i)));
}

static struct err *whatis_run(const struct dcmd_call *call, struct sink *out)
{
	const struct whatis_options *options = call->options;
	const uint64_t *list = call->list ? call->list : &call->address;
	size_t count = call->list ? call->list_count : 1;

	if (options->list) {
		list_places(out);
		return NULL;
	}
	if (!call->list && !call->has_address)
		return err_new(ERR_USAGE,
			       "needs the address of a thing before ::");
	for (size_t i = 0; i < count && !out->failed; i++) {
		if (session_interrupted(call->session))
			break;
		tell(call, list[i], out);
	}
	return NULL;
}

const struct dcmd dcmd_whatis = {
	.name = "whatis",
	.summary = "what is at an address",
	.help = "Looks for the address in buffers (allocated, freed, their "
		"redzones and canaries), slabs, what a pool has its pages "
		"from (a buffer, a segment of an arena), segments of arenas, "
		"the allocator's own "
		"structures, symbols of modules, threads' stacks and mappings, "
		"in this order, and tells of the first that has it. An audited "
		"buffer's record follows: the stack that allocated it, and the "
		"one that freed it last.",
	.example = "::walk thread | ::whatis -a",
	.address_use = ADDRESS_OPTIONAL, /* -l needs none */
	.address_is = "thing",
	.options = whatis_options,
	.option_count = sizeof(whatis_options) / sizeof(whatis_options[0]),
	.options_size = sizeof(struct whatis_options),
	.tables = whatis_tables,
	.table_count = 2,
	.takes_list = true,
	.run = whatis_run,
};
