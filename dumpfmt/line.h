/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text put together without stdio. It is always terminated; what does not fit
 * is cut off and remembered in full.
 */
#ifndef DUMPFMT_LINE_H
#define DUMPFMT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line {
	char *text;
	size_t size; /* of the buffer; at least 1 */
	size_t used;
	bool full;
};

void line_init(struct line *line, char *buffer, size_t size);
void line_add(struct line *line, const char *text);
void line_add_bytes(struct line *line, const char *text, size_t size);
void line_add_number(struct line *line, uint64_t value, unsigned base);

#endif
