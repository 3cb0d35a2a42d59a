/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows as lines of text, in mdb's look: addresses as 16 digits, a heading above
 * each run of rows, text to the left and numbers to the right of their column.
 *
 *	ADDR             BUFADDR          TIMESTAMP   THREAD	line 0
 *	                 CACHE            LASTLOG    		line 1
 *	00007f0000001000 00007f0000002000     1234     4711
 *	                 00007f0000003000        -
 *	                 main+0x12				LINES
 *
 * LINES of line 0 follow the record as they are; those of a later line stand
 * under the column's name.
 *
 * Nothing is buffered, so widths are fixed before the first row. A value wider
 * than its column pushes the following ones to the right only until one of
 * them has blanks to give back.
 */
#include "kdbg/sink.h"
#include "kdbg/utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_SIZE = 64, INDENT_LEAST = 8 };

struct line {
	FILE *stream;
	size_t at;   /* columns printed */
	size_t want; /* where the next cell begins */
};

static bool is_left(enum value_kind kind)
{
	return kind == VALUE_ADDRESS || kind == VALUE_TEXT;
}

/* Where a heading that takes two lines is cut: at its first blank. */
static size_t heading_cut(const struct table *table,
			  const struct column *column)
{
	const char *blank = table->folded ? strchr(column->name, ' ') : NULL;

	return blank ? (size_t)(blank - column->name) : 0;
}

static size_t heading_width(const struct table *table,
			    const struct column *column)
{
	size_t length = strlen(column->name);
	size_t cut = heading_cut(table, column);

	if (!cut)
		return length;
	return cut > length - cut - 1 ? cut : length - cut - 1;
}

static size_t column_width(const struct table *table,
			   const struct column *column)
{
	static const size_t least[] = {
		[VALUE_ADDRESS] = 16, [VALUE_HEX] = 8,   [VALUE_COUNT] = 8,
		[VALUE_SIGNED] = 8,   [VALUE_SIZE] = 10, [VALUE_REAL] = 7,
		[VALUE_TEXT] = 25,    [VALUE_LINES] = 0,
	};
	size_t width =
		column->width > 0 ? (size_t)column->width : least[column->kind];
	size_t heading = heading_width(table, column);

	return width > heading ? width : heading;
}

/* Later lines of a record, and its LINES, stand under the second column. */
static size_t indentation(const struct table *table)
{
	const struct column *first = &table->columns[0];

	if (table->column_count == 0 || first->kind != VALUE_ADDRESS)
		return INDENT_LEAST;
	return column_width(table, first) + 1;
}

static unsigned line_count(const struct table *table)
{
	unsigned lines = 0;

	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].line >= lines)
			lines = table->columns[i].line + 1;
	return lines;
}

/* In text that is not wide: always, or only where there is room for it. */
static bool is_narrow(const struct column *column, bool spare)
{
	return column->kind != VALUE_LINES && !column->wide &&
	       (spare || !column->spare);
}

static bool is_last(const struct table *table, size_t i, bool spare)
{
	for (size_t j = i + 1; j < table->column_count; j++)
		if (table->columns[j].line == table->columns[i].line &&
		    is_narrow(&table->columns[j], spare))
			return false;
	return true;
}

static size_t line_width(const struct table *table, unsigned number, bool spare)
{
	size_t width = number ? indentation(table) : 0;

	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *column = &table->columns[i];

		if (column->line != number || !is_narrow(column, spare))
			continue;
		if (is_last(table, i, spare))
			return width + (column->kind == VALUE_TEXT
						? heading_width(table, column)
						: column_width(table, column));
		width += column_width(table, column) + 1;
	}
	return width;
}

static size_t table_width(const struct table *table, bool spare)
{
	size_t widest = 0;

	for (unsigned i = 0, count = line_count(table); i < count; i++) {
		size_t width = line_width(table, i, spare);

		widest = width > widest ? width : widest;
	}
	return widest;
}

size_t table_text_width(const struct table *table)
{
	return table_width(table, false);
}

bool sink_spares(const struct sink *sink, const struct table *table)
{
	bool any = false;

	if (sink->ops != &text_sink_ops || sink->wide || !sink->columns)
		return false;
	for (size_t i = 0; i < table->column_count; i++)
		any |= table->columns[i].spare;
	return any && sink->columns < table_width(table, true);
}

static bool shown(const struct column *column, bool wide, bool spares)
{
	return column->kind != VALUE_LINES && (wide || !column->wide) &&
	       !(spares && column->spare);
}

static void put_blanks(struct line *line, size_t upto)
{
	for (; line->at < upto; line->at++)
		fputc(' ', line->stream);
}

static void put_cell(struct line *line, const struct table *table,
		     const struct column *column, const char *text)
{
	size_t width = column_width(table, column);
	size_t length = utf8_put(NULL, text);
	size_t start = line->want;

	if (!length) {
		line->want += width + 1;
		return;
	}

	if (!is_left(column->kind) && length < width)
		start += width - length;
	if (line->at && line->at >= start)
		start = line->at + 1;
	put_blanks(line, start);
	line->at += utf8_put(line->stream, text);
	line->want += width + 1;
}

/* The upper line of folded headings has the first words, the lower the rest;
 * without folding there is a lower line alone. */
static const char *heading_text(const struct table *table,
				const struct column *column, bool upper,
				char *cell)
{
	size_t cut = heading_cut(table, column);

	if (!upper)
		return column->name + (cut ? cut + 1 : 0);
	snprintf(cell, CELL_SIZE, "%.*s", (int)cut, column->name);
	return cell;
}

static void format_size(uint64_t size, unsigned scale, char *cell)
{
	static const char unit[] = " KMGT";
	uint64_t half = scale ? UINT64_C(1) << (scale - 1) : 0;
	uint64_t scaled = (size >> scale) +
			  ((size & (half * 2 - 1)) >= half && half ? 1 : 0);

	if (scale)
		snprintf(cell, CELL_SIZE, "%" PRIu64 "%c", scaled,
			 unit[scale / 10 % sizeof(unit)]);
	else
		snprintf(cell, CELL_SIZE, "%" PRIu64, size);
}

/* The text of a value: in cell, or the value's own. */
static const char *format_value(const struct sink *sink,
				const struct value *value, char *cell)
{
	if (value->absent)
		return "-";
	switch (value->kind) {
	case VALUE_ADDRESS:
		snprintf(cell, CELL_SIZE, "%016" PRIx64, value->number);
		break;
	case VALUE_HEX:
		snprintf(cell, CELL_SIZE, "%" PRIx64, value->number);
		break;
	case VALUE_COUNT:
		snprintf(cell, CELL_SIZE, "%" PRIu64, value->number);
		break;
	case VALUE_SIGNED:
		snprintf(cell, CELL_SIZE, "%" PRId64, value->signed_number);
		break;
	case VALUE_SIZE:
		format_size(value->number, sink->scale, cell);
		break;
	case VALUE_REAL:
		snprintf(cell, CELL_SIZE, "%.2f", value->real);
		break;
	case VALUE_TEXT:
		if (!value->indent || !value->text)
			return value->text ? value->text : "-";
		snprintf(cell, CELL_SIZE, "%*s%s", value->indent, "",
			 value->text);
		break;
	case VALUE_LINES:
		cell[0] = '\0';
		break;
	}
	return cell;
}

/* One line of the header (values NULL; its upper part or not) or of a row. */
static void put_line(struct sink *sink, unsigned number,
		     const struct value *values, bool upper)
{
	const struct table *table = sink->table;
	struct line line = { sink->stream, 0, number ? indentation(table) : 0 };
	char cell[CELL_SIZE];
	bool emphasis = sink->emphasis && !values;
	bool any = false, spares = sink_spares(sink, table);

	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *column = &table->columns[i];

		if (column->line != number ||
		    !shown(column, sink->wide, spares))
			continue;
		if (!any && emphasis)
			fputs("\033[1m", sink->stream);
		any = true;
		put_cell(&line, table, column,
			 values ? format_value(sink, &values[i], cell)
				: heading_text(table, column, upper, cell));
	}
	if (any)
		fputs(emphasis ? "\033[0m\n" : "\n", sink->stream);
}

static void put_record(struct sink *sink, const struct value *values)
{
	if (!values && sink->table->folded)
		put_line(sink, 0, NULL, true);
	for (unsigned i = 0, count = line_count(sink->table); i < count; i++)
		put_line(sink, i, values, false);
}

static void put_lines(struct sink *sink, const struct column *column,
		      const char *const *lines)
{
	if (column->line && lines && *lines)
		fprintf(sink->stream, "%*s%s:\n", (int)indentation(sink->table),
			"", column->name);
	for (; lines && *lines; lines++) {
		fprintf(sink->stream, "%*s", (int)indentation(sink->table), "");
		utf8_put(sink->stream, *lines);
		fputc('\n', sink->stream);
	}
}

static void text_row(struct sink *sink, const struct value *values,
		     const char *text)
{
	const struct table *table = sink->table;

	if (table != sink->headed && !table->no_header)
		put_record(sink, NULL);
	sink->headed = table;
	if (!text)
		put_record(sink, values);
	else if (*text) {
		utf8_put(sink->stream, text);
		fputc('\n', sink->stream);
	}
	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].kind == VALUE_LINES && !values[i].absent)
			put_lines(sink, &table->columns[i], values[i].lines);
}

static void text_line(struct sink *sink, const char *text)
{
	utf8_put(sink->stream, text);
	fputc('\n', sink->stream);
}

static void text_heading(struct sink *sink, const char *text)
{
	fputs(sink->emphasis ? "\033[1m" : "", sink->stream);
	utf8_put(sink->stream, text);
	fputs(sink->emphasis ? "\033[0m\n" : "\n", sink->stream);
}

const struct sink_ops text_sink_ops = {
	.row = text_row,
	.note = text_line,
	.line = text_line,
	.heading = text_heading,
};
