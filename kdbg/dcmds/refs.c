/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::refs - who points to this? */
#include "kdbg/refs.h"
#include "kdbg/dcmds/dcmds.h"

#include <inttypes.h>

enum { TEXT_SIZE = 512 };

struct refs_options {
	bool all, unaligned;
	uint64_t length, limit;
};

static const struct option refs_options[] = {
	{ 'a', "all", OPTION_FLAG, offsetof(struct refs_options, all), NULL,
	  "also words that hold nothing: freed buffers, slack, unused stack" },
	{ 'l', "length", OPTION_NUMBER, offsetof(struct refs_options, length),
	  "bytes", "what points to so many bytes from the address on" },
	{ 'n', "limit", OPTION_NUMBER, offsetof(struct refs_options, limit),
	  "count", "stop after so many" },
	{ 'u', "unaligned", OPTION_FLAG,
	  offsetof(struct refs_options, unaligned), NULL,
	  "words at any byte, whatever marking took for pointers" },
};

static const struct column refs_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "KIND", VALUE_TEXT, .width = 9 },
	{ "INTO", VALUE_SIZE, .width = 6 },
	{ "HELD BY", VALUE_TEXT },
	{ "BUFFER", VALUE_ADDRESS, .wide = true },
	{ "WORD", VALUE_ADDRESS, .wide = true },
};

static const struct table refs_tables[] = {
	{ "default", refs_columns,
	  sizeof(refs_columns) / sizeof(refs_columns[0]) },
};

struct report {
	const struct refs_options *options;
	struct places *places;
	struct sink *out;
	uint64_t shown, left_out;
};

static bool is_reference(enum place_kind kind)
{
	return kind != PLACE_SLACK && kind != PLACE_FREED &&
	       kind != PLACE_STALE;
}

static bool put_ref(void *context, const struct ref *ref)
{
	struct report *report = context;
	const struct place *place = &ref->place;
	char text[TEXT_SIZE];

	if (!report->options->all && !is_reference(place->kind)) {
		report->left_out++;
		return true;
	}
	places_describe(report->places, place, text, sizeof(text));
	SINK_ROW(report->out,
		 place->address ? ADDRESS(place->address)
				: ABSENT(VALUE_ADDRESS),
		 TEXT(place_kind_name(place->kind)), SIZE(ref->offset),
		 TEXT(text),
		 place->buffer.user ? ADDRESS(place->buffer.user)
				    : ABSENT(VALUE_ADDRESS),
		 ADDRESS(ref->word));
	report->shown++;
	return !report->out->failed && (!report->options->limit ||
					report->shown < report->options->limit);
}

static struct err *put_refs(const struct dcmd_call *call, struct heap *heap,
			    struct report *report)
{
	uint64_t address = refs_buffer_address(heap, call->address);
	uint64_t length = report->options->length;
	struct refs_range range = refs_range_of(heap, address);

	if (length) {
		if (length - 1 > UINT64_MAX - address)
			return err_new(ERR_USAGE,
				       "%" PRIu64 " bytes from %#" PRIx64
				       " are more than there are",
				       length, address);
		range = (struct refs_range){ .start = address,
					     .end = address + length - 1 };
	}
	range.unaligned = report->options->unaligned;
	return refs_find(call->session, report->places, &range, put_ref,
			 report);
}

static struct err *refs_run(const struct dcmd_call *call, struct sink *out)
{
	struct report report = { .options = call->options, .out = out };
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (!err)
		err = places_create(call->session, &report.places);
	if (!err)
		err = put_refs(call, heap, &report);
	places_destroy(report.places);
	if (err || call->to_pipe)
		return err;
	if (!report.shown)
		sink_note(out, "nothing refers to %" PRIx64, call->address);
	if (report.left_out)
		sink_note(out,
			  "%" PRIu64 " more words point there from where "
			  "nothing is held (-a shows them)",
			  report.left_out);
	return NULL;
}

const struct dcmd dcmd_refs = {
	.name = "refs",
	.summary = "who points to this buffer or address",
	.help = "Every aligned word of the roots and of live buffers that "
		"points to the buffer at the address, or into it, with the "
		"variable, the frame, the register or the buffer that it lies "
		"in. INTO is how far into the buffer it points: 0 is its "
		"start. An address outside the heap stands for itself, a "
		"bufctl for its buffer. A buffer's pointers to itself are left "
		"out.",
	.example = "::walk bufctl | ::head 1 | ::refs",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "buffer",
	.options = refs_options,
	.option_count = sizeof(refs_options) / sizeof(refs_options[0]),
	.options_size = sizeof(struct refs_options),
	.tables = refs_tables,
	.table_count = 1,
	.run = refs_run,
};
