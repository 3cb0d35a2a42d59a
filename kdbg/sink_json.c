/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows as JSON Lines: every row one object on one line, so that jq, DuckDB,
 * ClickHouse or PostgreSQL load the output as it is. Numbers that are names
 * (addresses, masks) are strings: a JSON number loses bits past 2^53.
 */
#include "kdbg/sink.h"
#include "kdbg/utf8.h"

#include <inttypes.h>
#include <math.h>

void sink_json_string(FILE *stream, const char *s)
{
	fputc('"', stream);
	while (*s) {
		unsigned char c = (unsigned char)*s;
		size_t length = utf8_sequence(s);

		if (c == '"' || c == '\\')
			fprintf(stream, "\\%c", c);
		else if (c < 0x20 || c == 0x7f || length == 0)
			fprintf(stream, "\\u%04x", c);
		else
			fwrite(s, 1, length, stream);
		s += length ? length : 1;
	}
	fputc('"', stream);
}

static void put_lines(FILE *stream, const char *const *lines)
{
	fputc('[', stream);
	for (size_t i = 0; lines && lines[i]; i++) {
		if (i)
			fputs(", ", stream);
		sink_json_string(stream, lines[i]);
	}
	fputc(']', stream);
}

static void put_value(FILE *stream, const struct value *value)
{
	switch (value->kind) {
	case VALUE_ADDRESS:
	case VALUE_HEX:
		fprintf(stream, "\"0x%" PRIx64 "\"", value->number);
		break;
	case VALUE_COUNT:
	case VALUE_SIZE:
		fprintf(stream, "%" PRIu64, value->number);
		break;
	case VALUE_SIGNED:
		fprintf(stream, "%" PRId64, value->signed_number);
		break;
	case VALUE_REAL:
		if (isfinite(value->real))
			fprintf(stream, "%.2f", value->real);
		else
			fputs("null", stream);
		break;
	case VALUE_TEXT:
		if (value->text)
			sink_json_string(stream, value->text);
		else
			fputs("null", stream);
		break;
	case VALUE_LINES:
		put_lines(stream, value->lines);
		break;
	}
}

static void json_row(struct sink *sink, const struct value *values,
		     const char *text)
{
	(void)text;
	fputc('{', sink->stream);
	for (size_t i = 0; i < sink->table->column_count; i++) {
		char key[64];

		sink_json_key(sink->table->columns[i].name, key, sizeof(key));
		fprintf(sink->stream, "%s\"%s\": ", i ? ", " : "", key);
		if (values[i].absent)
			fputs("null", sink->stream);
		else
			put_value(sink->stream, &values[i]);
	}
	fputs("}\n", sink->stream);
}

static void json_note(struct sink *sink, const char *text)
{
	fputs("{\"note\": ", sink->notes);
	sink_json_string(sink->notes, text);
	fputs("}\n", sink->notes);
}

const struct sink_ops json_sink_ops = { .row = json_row, .note = json_note };
