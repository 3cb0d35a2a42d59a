/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::whylive - what keeps this buffer alive? */
#include "kdbg/chains.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/refs.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	TEXT_SIZE = 512,
	LINE_SIZE = 640,
	ENDS_SHOWN = 16, /* steps at either end of a long chain, in text */
};

struct whylive_options {
	uint64_t limit;
};

static const struct option whylive_options[] = {
	{ 'n', "limit", OPTION_NUMBER, offsetof(struct whylive_options, limit),
	  "count", "so many chains, each through another word that holds it" },
};

static const struct column whylive_columns[] = {
	{ "CHAIN", VALUE_COUNT },  { "STEP", VALUE_COUNT },
	{ "ADDR", VALUE_ADDRESS }, { "KIND", VALUE_TEXT },
	{ "WORD", VALUE_ADDRESS }, { "HELD BY", VALUE_TEXT },
};

static const struct table whylive_tables[] = {
	{ "default", whylive_columns,
	  sizeof(whylive_columns) / sizeof(whylive_columns[0]),
	  .no_header = true },
};

/* A list of a million is told by its ends. */
static bool is_skipped(const struct chain *chain, size_t step)
{
	return chain->count > 2 * ENDS_SHOWN + 1 && step >= ENDS_SHOWN &&
	       step < chain->count - ENDS_SHOWN;
}

static void put_link(struct sink *out, struct places *places, size_t chain,
		     const struct chain *links, size_t step)
{
	const struct chain_link *link = &links->links[step];
	const struct place *place = &link->place;
	char text[TEXT_SIZE], line[LINE_SIZE];

	places_describe(places, place, text, sizeof(text));
	snprintf(line, sizeof(line), "%s%s", step ? "    -> " : "", text);
	if (is_skipped(links, step))
		line[0] = '\0';
	if (is_skipped(links, step) && step == ENDS_SHOWN)
		snprintf(line, sizeof(line), "    ... %zu more ...",
			 links->count - (size_t)2 * ENDS_SHOWN);
	SINK_ROW_AS(out, line, COUNT(chain), COUNT(step),
		    place->address ? ADDRESS(place->address)
				   : ABSENT(VALUE_ADDRESS),
		    TEXT(place_kind_name(place->kind)), ADDRESS(link->word),
		    TEXT(text));
}

/* The buffer itself ends the chain. */
static void put_end(struct sink *out, struct places *places, size_t chain,
		    const struct chain *links, const struct heap_buffer *buffer)
{
	const struct chain_link *last = &links->links[links->count - 1];
	char text[TEXT_SIZE], line[LINE_SIZE], inner[32] = "";

	if (last->word != buffer->user)
		snprintf(inner, sizeof(inner), "+%#" PRIx64,
			 last->word - buffer->user);
	places_describe_buffer(places, buffer, text, sizeof(text));
	snprintf(line, sizeof(line), "    => %" PRIx64 "%s (%s)", buffer->user,
		 inner, text);
	SINK_ROW_AS(out, line, COUNT(chain), COUNT(links->count),
		    ADDRESS(buffer->user), TEXT("target"),
		    ABSENT(VALUE_ADDRESS), TEXT(text));
}

static void put_none(const struct dcmd_call *call, struct sink *out,
		     struct places *places, const struct heap_buffer *buffer)
{
	if (!heap_buffer_live(buffer))
		sink_note(out, "%" PRIx64 " is not allocated", buffer->user);
	else if (places_at(places, buffer->user).kind == PLACE_POSSIBLE)
		sink_note(out,
			  "%" PRIx64 " is held by a packed or tagged pointer "
			  "only: see it after ::findleaks --unaligned "
			  "or --mask",
			  buffer->user);
	else
		sink_note(out,
			  "%" PRIx64 " is leaked: no root leads to it "
			  "(%" PRIx64 "::whyleak)",
			  buffer->user, call->address);
}

static struct err *whylive_run(const struct dcmd_call *call, struct sink *out)
{
	const struct whylive_options *options = call->options;
	struct places *places = NULL;
	struct chains chains = { 0 };
	struct heap_buffer buffer = { 0 };
	struct heap *heap;
	uint64_t address;
	struct err *err = session_heap(call->session, &heap);

	if (!err)
		err = places_create(call->session, &places);
	if (err)
		return err;
	address = refs_buffer_address(heap, call->address);
	heap_buffer_at(heap, address, &buffer);
	err = chains_find(call->session, places, address,
			  options->limit ? options->limit : 1, &chains);
	for (size_t i = 0; !err && i < chains.count && !out->failed; i++) {
		for (size_t j = 0; j < chains.list[i].count; j++)
			put_link(out, places, i + 1, &chains.list[i], j);
		put_end(out, places, i + 1, &chains.list[i], &buffer);
	}
	if (!err && !chains.count)
		put_none(call, out, places, &buffer);
	chains_deinit(&chains);
	places_destroy(places);
	return err;
}

const struct dcmd dcmd_whylive = {
	.name = "whylive",
	.summary = "what keeps this buffer alive: the way from a root to it",
	.help = "The shortest chain of references from a variable, a thread's "
		"frame, storage or register to the buffer, one step on each "
		"line: where the pointer lies, with the offset in the buffer "
		"that holds it. With -n, one chain for each of so many words "
		"that hold the buffer, shortest first. Pointers to inside are "
		"followed only where no other way leads to it. A bufctl stands "
		"for its buffer.",
	.example = "::walk bufctl | ::head 1 | ::whylive -n 3",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "buffer",
	.options = whylive_options,
	.option_count = sizeof(whylive_options) / sizeof(whylive_options[0]),
	.options_size = sizeof(struct whylive_options),
	.tables = whylive_tables,
	.table_count = 1,
	.run = whylive_run,
};
