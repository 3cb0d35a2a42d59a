/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/sink.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void sink_start(struct sink *sink)
{
	sink->table = NULL;
	sink->headed = NULL;
	sink->row_count = 0;
	sink->scale = 0;
}

void sink_table(struct sink *sink, const struct table *table)
{
	if (sink->table == table)
		return;
	sink->table = table;
	if (sink->ops->table)
		sink->ops->table(sink, table);
}

/* A reader that went away, or a full disk, ends the output: once is enough. */
static void check_stream(struct sink *sink)
{
	if (sink->failed || !sink->stream || !ferror(sink->stream))
		return;
	sink->failed = true;
	sink->error = errno;
}

void sink_flush(struct sink *sink)
{
	if (!sink->stream)
		return;
	fflush(sink->stream);
	check_stream(sink);
}

void sink_row(struct sink *sink, const struct value *values, size_t count,
	      const char *text)
{
	assert(sink->table);
	assert(count == sink->table->column_count);
	for (size_t i = 0; i < count; i++)
		assert(values[i].kind == sink->table->columns[i].kind);
	if (sink->failed)
		return;
	sink->ops->row(sink, values, text);
	sink->row_count++;
	check_stream(sink);
}

typedef void text_op(struct sink *sink, const char *text);

static PRINTF_LIKE(3, 0) void put_formatted(struct sink *sink, text_op *op,
					    const char *fmt, va_list args)
{
	char *text;

	if (sink->failed || !op || vasprintf(&text, fmt, args) < 0)
		return;
	op(sink, text);
	free(text);
	check_stream(sink);
}

void sink_note(struct sink *sink, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_formatted(sink, sink->ops->note, fmt, args);
	va_end(args);
}

void sink_line(struct sink *sink, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_formatted(sink, sink->ops->line, fmt, args);
	va_end(args);
}

void sink_heading(struct sink *sink, const char *fmt, ...)
{
	const struct sink_ops *ops = sink->ops;
	va_list args;

	va_start(args, fmt);
	put_formatted(sink, ops->heading ? ops->heading : ops->line, fmt, args);
	va_end(args);
}

size_t table_address_column(const struct table *table)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].piped)
			return i;
	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].kind == VALUE_ADDRESS)
			return i;
	return table->column_count;
}

/* Of a column's name, the piece of its key that c stands for; "": none. */
static const char *key_piece(char c, char *letter)
{
	letter[0] = (char)tolower((unsigned char)c);
	letter[1] = '\0';
	if (c == '%')
		return "pct";
	return isalnum((unsigned char)c) ? letter : "";
}

void sink_json_key(const char *name, char *buffer, size_t size)
{
	size_t used = 0;
	bool gap = false; /* characters skipped since the last one written */

	assert(size > 0);
	for (; *name; name++) {
		char letter[2];
		const char *piece = key_piece(*name, letter);
		size_t length = strlen(piece);

		gap |= length != 1; /* a word of its own, or no letter */
		if (length == 0)
			continue;
		if (used + gap + length >= size)
			break;
		if (gap && used)
			buffer[used++] = '_';
		memcpy(buffer + used, piece, length);
		used += length;
		gap = length != 1;
	}
	buffer[used] = '\0';
}
