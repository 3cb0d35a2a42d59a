/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::kma_error - what libkma reported, with its stacks resolved. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/heap_notes.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/heap.h"

#include <inttypes.h>
#include <stdio.h>

static const struct column error_columns[] = {
	{ "addr", VALUE_ADDRESS },
	{ "code", VALUE_TEXT },
	{ "message", VALUE_TEXT },
	{ "timestamp", VALUE_HEX },
	{ "thread", VALUE_COUNT },
	{ "bufaddr", VALUE_ADDRESS },
	{ "size", VALUE_SIZE },
	{ "offset", VALUE_SIGNED },
	{ "cache", VALUE_TEXT },
	{ "bufctl", VALUE_ADDRESS },
	{ "expected", VALUE_HEX },
	{ "found", VALUE_HEX },
	{ "facts", VALUE_LINES },
	{ "STACK", VALUE_LINES, .line = 1 },
	{ "ALLOC STACK", VALUE_LINES, .line = 1 },
	{ "FREE STACK", VALUE_LINES, .line = 1 },
};

static const struct table error_tables[] = {
	{ "default", error_columns,
	  sizeof(error_columns) / sizeof(error_columns[0]), .no_header = true },
};

/* A stack of the error's, with the names of the time when it was reported. */
static void add_stack(struct session *session, struct heap *heap,
		      const struct heap_error *error, uint32_t stack,
		      struct stack_lines *lines)
{
	const struct heap_event event = {
		.time = error->time,
		.time_ns = error->time_ns,
		.stack = stack,
		.instance = error->instance,
	};

	if (stack)
		stack_lines_add(lines, session, heap, &event);
}

static const char *cache_name(struct heap *heap, const struct heap_error *error)
{
	const struct heap_cache *cache =
		error->cache ? heap_cache_at(heap, error->cache) : NULL;

	return cache ? cache->name : NULL;
}

static void add_facts(struct heap *heap, const struct heap_error *error,
		      struct stack_lines *lines)
{
	const char *cache = cache_name(heap, error);

	if (error->buffer)
		stack_lines_text(lines,
				 "buffer %" PRIx64 ", %" PRIu64 " bytes%s%s, "
				 "bufctl %" PRIx64,
				 error->buffer, error->size,
				 cache ? " of " : "", cache ? cache : "",
				 error->bufctl);
	stack_lines_text(lines, "address %" PRIx64, error->address);
	if (error->expected != error->found)
		stack_lines_text(lines,
				 "expected %016" PRIx64 ", found %016" PRIx64
				 " at offset %" PRId64,
				 error->expected, error->found, error->offset);
	if (error->alloc_stack)
		stack_lines_text(lines, "allocated by thread %" PRIu32,
				 error->alloc_thread);
	if (error->free_stack)
		stack_lines_text(lines, "freed by thread %" PRIu32,
				 error->free_thread);
}

static void emit_error(const struct dcmd_call *call, struct heap *heap,
		       const struct heap_error *error, struct sink *out)
{
	struct stack_lines facts = { 0 }, stack = { 0 }, alloc = { 0 },
			   freed = { 0 };
	char text[512];

	snprintf(text, sizeof(text), "%s (thread %" PRIu32 ")", error->message,
		 error->thread);
	add_facts(heap, error, &facts);
	add_stack(call->session, heap, error, error->stack, &stack);
	add_stack(call->session, heap, error, error->alloc_stack, &alloc);
	add_stack(call->session, heap, error, error->free_stack, &freed);
	SINK_ROW_AS(out, text, ADDRESS(error->address), TEXT(error->name),
		    TEXT(error->message), HEX(error->time_ns),
		    COUNT(error->thread), ADDRESS(error->buffer),
		    SIZE(error->size), SIGNED(error->offset),
		    TEXT(cache_name(heap, error)), ADDRESS(error->bufctl),
		    HEX(error->expected), HEX(error->found), LINES(facts.lines),
		    LINES(stack.lines), LINES(alloc.lines), LINES(freed.lines));
	stack_lines_deinit(&facts);
	stack_lines_deinit(&stack);
	stack_lines_deinit(&alloc);
	stack_lines_deinit(&freed);
}

static struct err *error_run(const struct dcmd_call *call, struct sink *out)
{
	const struct heap_error *errors;
	struct heap *heap;
	struct err *err = session_heap(call->session, &heap);

	if (err)
		return err;
	size_t count = heap_errors(heap, &errors);
	uint64_t all = heap_error_count(heap);
	for (size_t i = 0; i < count && !out->failed; i++)
		emit_error(call, heap, &errors[i], out);
	if (all == 0)
		sink_note(out, "libkma reported no misuse");
	else if (all > count)
		sink_note(out,
			  "%" PRIu64 " were reported; the first %zu are "
			  "kept",
			  all, count);
	heap_notes(heap, out);
	return NULL;
}

const struct dcmd dcmd_kma_error = {
	.name = "kma_error",
	.aliases = (const char *const[]){ "kma_panic", NULL },
	.summary = "the misuse of the heap that libkma reported, with stacks",
	.help = "Each report that libkma kept: what was wrong, the buffer, the "
		"bytes, where the program was then, and who allocated and "
		"freed the buffer, as it was when it was reported. A core of "
		"any crash has these records.",
	.example = "::kma_error",
	.tables = error_tables,
	.table_count = 1,
	.run = error_run,
};
