/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line that formatted values gather on, and the rows they are: each value a
 * row, the last of a line carrying the line's text.
 */
#ifndef KDBG_FORMAT_LINE_H
#define KDBG_FORMAT_LINE_H

#include "kdbg/sink.h"

struct format_line {
	struct sink *out;
	bool memory; /* rows have an address */
	char *text;  /* grows; NULL until something was added */
	size_t used, size;
	bool pending; /* a value whose row is not out yet */
	uint64_t address, value;
	bool has_value;
	char *value_text;
	bool out_of_memory;
};

void format_line_init(struct format_line *line, struct sink *out, bool memory);
void format_line_deinit(struct format_line *line);

/* Add text that is no value of its own. */
void format_line_add(struct format_line *line, const char *text);
/* Add blanks up to a column. */
void format_line_pad(struct format_line *line, size_t column);
/* A value, already added as text. has_value: it is a number that a pipe
 * carries on. */
void format_line_value(struct format_line *line, uint64_t address,
		       bool has_value, uint64_t value, const char *text);
/* End the line, if there is anything on it. */
void format_line_end(struct format_line *line);

#endif
