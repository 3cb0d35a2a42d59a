/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The frames of an allocator's stack as lines of text, for a LINES column.
 *
 *	struct stack_lines lines = { 0 };
 *	stack_lines_add(&lines, session, heap, &buffer.alloc);
 *	... LINES(lines.lines) ...
 *	stack_lines_deinit(&lines);
 */
#ifndef KDBG_DCMDS_STACK_LINES_H
#define KDBG_DCMDS_STACK_LINES_H

#include "kdbg/heap.h"
#include "kdbg/session.h"

struct stack_lines {
	char **strings;           /* NULL-terminated, or NULL: none */
	const char *const *lines; /* the same, for LINES() */
	size_t count;
};

/* Innermost frame first; names as of the event's time. Without symbols, bare
 * addresses. A stack that was cut ends with "...". */
void stack_lines_add(struct stack_lines *lines, struct session *session,
		     struct heap *heap, const struct heap_event *event);
/* A line of one's own. */
void stack_lines_text(struct stack_lines *lines, const char *fmt, ...)
	PRINTF_LIKE(2, 3);
void stack_lines_deinit(struct stack_lines *lines);

/* "allocated", "free", "unused", "changing". */
const char *buffer_state_name(enum buffer_state state);

/* The first frame outside the allocator, "main+0x12 (leak.c:7)"; "-": none. */
void stack_caller(struct session *session, struct heap *heap,
		  const struct heap_event *event, char *buffer, size_t size);

/* Is the function, or this pc, in the stack? A function's entry stands for all
 * of it. */
bool stack_has_caller(struct session *session, struct heap *heap,
		      const struct heap_event *event, uint64_t caller);

#endif
