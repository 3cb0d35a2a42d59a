/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/dcmds/stack_lines.h"

#include "kdbg/symbols.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 512 };

/* Takes text; a line that finds no memory is left out. */
static void add(struct stack_lines *lines, char *text)
{
	char **strings = reallocarray(lines->strings, lines->count + 2,
				      sizeof(strings[0]));

	if (!strings || !text) {
		free(text);
		if (strings)
			lines->strings = strings;
		return;
	}
	strings[lines->count++] = text;
	strings[lines->count] = NULL;
	lines->strings = strings;
	lines->lines = (const char *const *)strings;
}

void stack_lines_text(struct stack_lines *lines, const char *fmt, ...)
{
	char *text;
	va_list args;

	va_start(args, fmt);
	int length = vasprintf(&text, fmt, args);
	va_end(args);
	if (length >= 0)
		add(lines, text);
}

/* NULL: no names are to be had, and the commands do without. */
static struct symbols *symbols_of(struct session *session)
{
	struct symbols *symbols = NULL;

	err_free(session_symbols(session, &symbols));
	return symbols;
}

static void format_frame(struct symbols *symbols, uint64_t pc, uint64_t ticks,
			 char *buffer, size_t size)
{
	if (symbols)
		symbols_format_return_then(symbols, pc, ticks, buffer, size);
	else
		snprintf(buffer, size, "%#" PRIx64, pc);
}

void stack_caller(struct session *session, struct heap *heap,
		  const struct heap_event *event, char *buffer, size_t size)
{
	struct symbols *symbols = symbols_of(session);
	uint64_t pc = heap_stack_caller_named(heap, symbols, event->instance,
					      event->stack);

	if (pc)
		format_frame(symbols, pc, event->time, buffer, size);
	else
		snprintf(buffer, size, "-");
}

const char *buffer_state_name(enum buffer_state state)
{
	switch (state) {
	case BUFFER_ALLOCATED:
		return "allocated";
	case BUFFER_FREE:
		return "free";
	case BUFFER_CHANGING:
		return "changing";
	case BUFFER_NEVER:
		break;
	}
	return "unused";
}

void stack_lines_add(struct stack_lines *lines, struct session *session,
		     struct heap *heap, const struct heap_event *event)
{
	struct symbols *symbols = symbols_of(session);
	const uint64_t *pcs;
	uint32_t flags = 0;
	size_t depth =
		heap_stack(heap, event->instance, event->stack, &pcs, &flags);

	for (size_t i = 0; i < depth; i++) {
		char text[LINE_SIZE];

		format_frame(symbols, pcs[i], event->time, text, sizeof(text));
		stack_lines_text(lines, "%s", text);
	}
	if (heap_stack_truncated(heap, event->instance, flags))
		stack_lines_text(lines, "...");
}

void stack_lines_deinit(struct stack_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->strings[i]);
	free(lines->strings);
	*lines = (struct stack_lines){ 0 };
}

bool stack_has_caller(struct session *session, struct heap *heap,
		      const struct heap_event *event, uint64_t caller)
{
	uint64_t end = caller;
	struct symbols *symbols;
	struct symbol symbol;
	const uint64_t *pcs;
	size_t depth =
		heap_stack(heap, event->instance, event->stack, &pcs, NULL);
	struct err *err = session_symbols(session, &symbols);

	if (!err && symbols_at(symbols, caller, &symbol) &&
	    symbol.value == caller)
		end = caller + symbol.size;
	err_free(err);
	for (size_t i = 0; i < depth; i++)
		if (pcs[i] == caller ||
		    (pcs[i] - 1 >= caller && pcs[i] - 1 < end))
			return true;
	return false;
}
