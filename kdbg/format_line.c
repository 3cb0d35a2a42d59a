/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/format_line.h"

#include <stdlib.h>
#include <string.h>

static const struct column line_columns[] = {
	{ "ADDR", VALUE_HEX },
	{ "VALUE", VALUE_ADDRESS },
	{ "TEXT", VALUE_TEXT },
};

static const struct table line_table = { "format", line_columns, 3, true };

void format_line_init(struct format_line *line, struct sink *out, bool memory)
{
	*line = (struct format_line){ .out = out, .memory = memory };
	sink_table(out, &line_table);
}

void format_line_deinit(struct format_line *line)
{
	free(line->text);
	free(line->value_text);
}

static bool make_room(struct format_line *line, size_t more)
{
	size_t size = line->size ? line->size : 256;

	while (size - line->used <= more)
		size *= 2;
	if (size == line->size)
		return true;
	char *text = realloc(line->text, size);
	if (!text) {
		line->out_of_memory = true;
		return false;
	}
	line->text = text;
	line->size = size;
	return true;
}

void format_line_add(struct format_line *line, const char *text)
{
	size_t length = strlen(text);

	if (!make_room(line, length))
		return;
	memcpy(line->text + line->used, text, length + 1);
	line->used += length;
}

void format_line_pad(struct format_line *line, size_t column)
{
	do
		format_line_add(line, " ");
	while (line->used < column && !line->out_of_memory);
}

static void flush_value(struct format_line *line, const char *text)
{
	struct value address = HEX(line->address);
	struct value value = ADDRESS(line->value);

	address.absent = !line->memory;
	value.absent = !line->has_value;
	SINK_ROW_AS(line->out, text, address, value, TEXT(line->value_text));
	line->pending = false;
}

void format_line_value(struct format_line *line, uint64_t address,
		       bool has_value, uint64_t value, const char *text)
{
	if (line->pending)
		flush_value(line, "");
	free(line->value_text);
	line->value_text = strdup(text);
	line->address = address;
	line->has_value = has_value;
	line->value = value;
	line->pending = true;
}

void format_line_end(struct format_line *line)
{
	if (!line->used && !line->pending)
		return;
	while (line->used && line->text[line->used - 1] == ' ')
		line->text[--line->used] = '\0';
	if (line->pending)
		flush_value(line, line->used ? line->text : "");
	else
		sink_line(line->out, "%s", line->text);
	line->used = 0;
}
