/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a command's results go.
 *
 * A command computes typed rows and never formats them. The sink decides what
 * becomes of a row: a line of text, a JSON object, the values fed to the next
 * command of a pipeline, or a record that a test inspects.
 *
 *	sink_table(out, &table);	the columns of what follows
 *	SINK_ROW(out, ADDRESS(a), COUNT(n), ...);
 *	SINK_ROW_AS(out, "text of its own", ADDRESS(a), ...);
 *	sink_note(out, "Total %u leaks", n);
 *
 * Text: a header once for each run of rows of one table (and once for a whole
 * pipeline stage), columns aligned; a column of a later line stands on that
 * line of the row (mdb's two-line records); LINES come below the row, indented.
 * Bytes that would drive a terminal are shown as \xNN: names come from dumps.
 * JSON: one object a line, keys are column names in lower case with every
 * other run of characters as one '_' ('%' is "pct_"); notes go to stderr as
 * {"note": ...}. Pipe: of each row the column that is piped, else the first
 *ADDRESS (sink_values.h).
 */
#ifndef KDBG_SINK_H
#define KDBG_SINK_H

#include "dumpfmt/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum value_kind {
	VALUE_ADDRESS, /* text and JSON: hex; JSON a string "0x.." */
	VALUE_HEX,     /* flags, masks: hex, JSON a string "0x.." */
	VALUE_COUNT,   /* unsigned */
	VALUE_SIGNED,
	VALUE_SIZE,  /* bytes; text may scale by -k -m -g, JSON never */
	VALUE_REAL,  /* ratios and percentages: two decimals */
	VALUE_TEXT,  /* left-aligned; NULL: "-" in text, null in JSON */
	VALUE_LINES, /* a NULL-terminated array of strings; JSON: an array */
};

struct column {
	const char *name; /* heading, mdb's where mdb has it */
	enum value_kind kind;
	int width;     /* least width; 0: the kind's */
	unsigned line; /* 0, or the line of the record it stands on */
	bool wide;     /* only where the output is wide, and in JSON */
	bool spare;    /* left out where a terminal has no room for all */
	bool piped;    /* goes into a pipe, in the place of an ADDRESS */
};

struct table {
	const char *name; /* for help: "default", "-v" */
	const struct column *columns;
	size_t column_count;
	bool no_header; /* text rows speak for themselves */
	bool folded;    /* headings of several words take two lines, as mdb's */
};

struct value {
	enum value_kind kind;
	bool absent;          /* text "-", JSON null */
	unsigned char indent; /* of a TEXT, in text: blanks before it */
	union {
		uint64_t number;
		int64_t signed_number;
		double real;
		const char *text;
		const char *const *lines;
	};
};

/* clang-format off */
#define ADDRESS(x)	((struct value){ .kind = VALUE_ADDRESS, .number = (x) })
#define HEX(x)		((struct value){ .kind = VALUE_HEX, .number = (x) })
#define COUNT(x)	((struct value){ .kind = VALUE_COUNT, .number = (x) })
#define SIGNED(x)	((struct value){ .kind = VALUE_SIGNED, .signed_number = (x) })
#define SIZE(x)		((struct value){ .kind = VALUE_SIZE, .number = (x) })
#define REAL(x)		((struct value){ .kind = VALUE_REAL, .real = (x) })
#define TEXT(x)		((struct value){ .kind = VALUE_TEXT, .text = (x) })
#define INDENTED(x, n)	((struct value){ .kind = VALUE_TEXT, .text = (x), \
					 .indent = (unsigned char)(n) })
#define LINES(x)	((struct value){ .kind = VALUE_LINES, .lines = (x) })
#define ABSENT(k)	((struct value){ .kind = (k), .absent = true })
/* clang-format on */

struct sink;

struct sink_ops {
	void (*table)(struct sink *sink, const struct table *table);
	/* text is NULL, or how the row reads as a line of its own; "": it has
	 * no line, another row's text tells it. */
	void (*row)(struct sink *sink, const struct value *values,
		    const char *text);
	void (*note)(struct sink *sink, const char *text);
	/* A line that only a person needs: rules, blank lines, headings. */
	void (*line)(struct sink *sink, const char *text);
	/* One that stands out above rows; NULL: as any line. */
	void (*heading)(struct sink *sink, const char *text);
};

struct sink {
	const struct sink_ops *ops;
	const struct table *table;  /* of the rows now coming */
	const struct table *headed; /* whose header was printed last */
	size_t row_count;           /* since sink_start() */
	unsigned scale; /* 0, or the shift of -k -m -g: a command sets it */
	bool wide;
	unsigned
		columns; /* of the terminal; 0: it is none, or wider than all */
	bool emphasis;   /* the stream is a terminal: headings stand out */
	bool failed;     /* the stream broke, or the reader went away: stop */
	int error;       /* errno of the break */
	FILE *stream;
	FILE *notes; /* stderr for JSON */
	void *impl;
};

extern const struct sink_ops text_sink_ops;
extern const struct sink_ops json_sink_ops;

/* Before each pipeline: its first row has a header again. */
void sink_start(struct sink *sink);

/* Hand everything on to the reader; a full disk shows now. */
void sink_flush(struct sink *sink);

void sink_table(struct sink *sink, const struct table *table);
void sink_row(struct sink *sink, const struct value *values, size_t count,
	      const char *text);
void sink_note(struct sink *sink, const char *fmt, ...) PRINTF_LIKE(2, 3);
void sink_line(struct sink *sink, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* For rows whose text is the command's own: others have their columns'. */
void sink_heading(struct sink *sink, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Where the table has its first ADDRESS column; column_count: it has none. */
size_t table_address_column(const struct table *table);

/* How many columns of a terminal the longest line of a row takes that is as
 * wide as the columns say, without those for wide output and those that can be
 * spared. A text at the end of a line counts as its heading: it may be short.
 */
size_t table_text_width(const struct table *table);

/* Are columns of the table left out that can be spared? */
bool sink_spares(const struct sink *sink, const struct table *table);

/* Copy name as a JSON key: "buf in use" is buf_in_use, "%OVER" pct_over. */
void sink_json_key(const char *name, char *buffer, size_t size);
/* Write s as a JSON string, quotes and all; bytes that are not UTF-8 as
 * \u00XX. */
void sink_json_string(FILE *stream, const char *s);

/* clang-format off */
#define SINK_VALUES(...) \
	(const struct value[]){ __VA_ARGS__ }, \
	sizeof((const struct value[]){ __VA_ARGS__ }) / sizeof(struct value)
#define SINK_ROW(sink, ...) \
	sink_row((sink), SINK_VALUES(__VA_ARGS__), NULL)
#define SINK_ROW_AS(sink, text, ...) \
	sink_row((sink), SINK_VALUES(__VA_ARGS__), (text))
/* clang-format on */

#endif
