/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::dump - memory as bytes. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/target.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum {
	PARAGRAPH = 16,
	PARAGRAPHS_MAX = 16,
	WIDTH_MAX = PARAGRAPH * PARAGRAPHS_MAX,
	GROUP_DEFAULT = 4,
	LINE_SIZE = 24 + WIDTH_MAX * 4 + 8,
};

struct dump_options {
	bool little_endian, file, no_text, relative, squeeze, trim, unaligned;
	uint64_t group, length, paragraphs;
};

#define FIELD(f) offsetof(struct dump_options, f)

static const struct option dump_options[] = {
	{ 'e', NULL, OPTION_FLAG, FIELD(little_endian), NULL,
	  "groups as little-endian numbers" },
	{ 'f', NULL, OPTION_FLAG, FIELD(file), NULL,
	  "what the module's file has there, not memory" },
	{ 'g', NULL, OPTION_NUMBER, FIELD(group), "bytes",
	  "bytes in a group: 1, 2, 4 (default) or 8" },
	{ 'l', NULL, OPTION_NUMBER, FIELD(length), "bytes",
	  "how many bytes; address,length::dump is the same" },
	{ 'q', NULL, OPTION_FLAG, FIELD(no_text), NULL,
	  "do not show the bytes as text" },
	{ 'r', NULL, OPTION_FLAG, FIELD(relative), NULL,
	  "number the lines from the start, not by address" },
	{ 's', NULL, OPTION_FLAG, FIELD(squeeze), NULL,
	  "show repeated lines as one *" },
	{ 't', NULL, OPTION_FLAG, FIELD(trim), NULL,
	  "only the bytes asked for, not whole lines" },
	{ 'u', NULL, OPTION_FLAG, FIELD(unaligned), NULL,
	  "begin lines at the address, not at a multiple of their length" },
	{ 'w', NULL, OPTION_NUMBER, FIELD(paragraphs), "paragraphs",
	  "16 bytes a line times this; at most 0x10" },
};

static const struct column dump_columns[] = {
	{ "ADDR", VALUE_ADDRESS },
	{ "BYTES", VALUE_TEXT },
	{ "TEXT", VALUE_TEXT },
};

static const struct table dump_tables[] = {
	{ "default", dump_columns, 3, .no_header = true },
};

struct row {
	uint64_t address;
	unsigned char bytes[WIDTH_MAX];
	bool known[WIDTH_MAX]; /* read, and to be shown */
};

struct dumper {
	const struct dump_options *options;
	struct target *target;
	struct sink *out;
	uint64_t start, end; /* asked for */
	uint64_t group, width;
	uint64_t missing;
	struct row last; /* for squeeze */
	bool have_last, squeezed;
};

/* Above the bytes the last digit of their addresses, and \/ above the first
 * one asked for. */
static void put_header(const struct dumper *d, uint64_t address)
{
	char line[LINE_SIZE];
	int used = snprintf(line, sizeof(line), "%18s", "");

	for (uint64_t i = 0; i < d->width; i++)
		used += snprintf(line + used, sizeof(line) - (size_t)used,
				 address + i == d->start ? "%s\\/" : "%s%2x",
				 i % d->group ? "" : " ",
				 (unsigned)((address + i) & 0xf));
	if (!d->options->no_text) {
		line[used++] = ' ';
		line[used++] = ' ';
		for (uint64_t i = 0; i < d->width; i++)
			line[used++] =
				address + i == d->start
					? 'v'
					: "0123456789abcdef"[(address + i) &
							     0xf];
	}
	line[used] = '\0';
	sink_line(d->out, "%s", line);
}

static void format_bytes(const struct dumper *d, const struct row *row,
			 char *text)
{
	for (uint64_t i = 0; i < d->width; i++) {
		uint64_t in_group = i % d->group;
		uint64_t at = d->options->little_endian
				      ? i - in_group + d->group - 1 - in_group
				      : i;

		if (i && !in_group)
			*text++ = ' ';
		if (row->known[at])
			text += sprintf(text, "%02x", row->bytes[at]);
		else
			text += sprintf(text, "  ");
	}
}

static void format_text(const struct dumper *d, const struct row *row,
			char *text)
{
	for (uint64_t i = 0; i < d->width; i++) {
		unsigned char c = row->bytes[i];
		bool prints = c >= 0x20 && c < 0x7f;

		*text++ = !row->known[i] ? ' ' : prints ? (char)c : '.';
	}
	*text = '\0';
}

/* A line that was seen before is one * for all its repetitions. */
static bool squeeze(struct dumper *d, const struct row *row)
{
	bool same = d->options->squeeze && d->have_last &&
		    memcmp(d->last.bytes, row->bytes, d->width) == 0 &&
		    memcmp(d->last.known, row->known, d->width) == 0;

	if (same && !d->squeezed)
		sink_line(d->out, "*");
	d->squeezed = same;
	d->have_last = true;
	d->last = *row;
	return same;
}

static void put_row(struct dumper *d, const struct row *row)
{
	char bytes[WIDTH_MAX * 3 + 1] = "", text[WIDTH_MAX + 1];
	char line[LINE_SIZE];

	if (squeeze(d, row))
		return;
	format_bytes(d, row, bytes);
	format_text(d, row, text);
	uint64_t label =
		d->options->relative ? row->address - d->start : row->address;
	int used = snprintf(line, sizeof(line), "%16" PRIx64 ":  %s%s%s", label,
			    bytes, d->options->no_text ? "" : "  ",
			    d->options->no_text ? "" : text);
	while (line[used - 1] == ' ')
		line[--used] = '\0';
	SINK_ROW_AS(d->out, line, ADDRESS(row->address), TEXT(bytes),
		    TEXT(text));
}

static size_t read_some(const struct dumper *d, uint64_t address,
			unsigned char *bytes, size_t size)
{
	if (!d->options->file)
		return target_read_some(d->target, address, bytes, size);
	struct err *err = target_read_file(d->target, address, bytes, size);
	if (!err)
		return size;
	err_free(err);
	err = target_read_file(d->target, address, bytes, 1);
	size_t got = err ? 0 : 1;
	err_free(err);
	return got;
}

static void read_row(struct dumper *d, struct row *row)
{
	memset(row->bytes, 0, sizeof(row->bytes));
	memset(row->known, 0, sizeof(row->known));
	for (uint64_t i = 0; i < d->width;) {
		size_t got = read_some(d, row->address + i, row->bytes + i,
				       d->width - i);

		memset(row->known + i, true, got);
		i += got;
		if (i < d->width) {
			d->missing++;
			i++;
		}
	}
	for (uint64_t i = 0; d->options->trim && i < d->width; i++)
		if (row->address + i < d->start || row->address + i >= d->end)
			row->known[i] = false;
}

static struct err *dump_range(struct dumper *d, const struct session *session)
{
	assert(d->width > 0); /* check() */
	uint64_t first = d->options->unaligned ? d->start
					       : d->start - d->start % d->width;
	struct row row = { .address = first };
	unsigned char probe;
	struct err *err =
		d->options->file
			? target_read_file(d->target, d->start, &probe, 1)
			: target_read(d->target, d->start, &probe, 1);

	if (err)
		return err;
	put_header(d, first);
	for (uint64_t done = 0; done < d->end - first; done += d->width) {
		if (d->out->failed || session_interrupted(session))
			break;
		row.address = first + done;
		read_row(d, &row);
		put_row(d, &row);
	}
	if (d->missing)
		sink_note(d->out, "%" PRIu64 " bytes are not in the target",
			  d->missing);
	return NULL;
}

static struct err *check(const struct dumper *d)
{
	uint64_t group = d->group;

	if (group != 1 && group != 2 && group != 4 && group != 8)
		return err_new(ERR_USAGE, "a group is 1, 2, 4 or 8 bytes");
	if (d->width == 0 || d->width > WIDTH_MAX || d->width % PARAGRAPH)
		return err_new(ERR_USAGE, "a line is 1 to 0x10 paragraphs");
	if (d->end < d->start)
		return err_new(ERR_USAGE, "that length goes past the end of "
					  "the address space");
	return NULL;
}

/* Not told: to the end of the line that holds the address. */
static uint64_t wanted_length(const struct dcmd_call *call,
			      const struct dumper *d)
{
	if (d->options->length)
		return d->options->length;
	if (call->has_count)
		return call->count;
	if (d->options->unaligned || !d->width)
		return d->width;
	return d->width - d->start % d->width;
}

static struct err *dump_run(const struct dcmd_call *call, struct sink *out)
{
	const struct dump_options *options = call->options;
	struct dumper d = {
		.options = options,
		.target = call->session->target,
		.out = out,
		.start = call->has_address ? call->address : call->session->dot,
		.group = options->group ? options->group : GROUP_DEFAULT,
		.width = PARAGRAPH,
	};

	if (options->paragraphs)
		d.width = options->paragraphs <= PARAGRAPHS_MAX
				  ? options->paragraphs * PARAGRAPH
				  : 0;
	d.end = d.start + wanted_length(call, &d);
	struct err *err = check(&d);
	return err ? err : dump_range(&d, call->session);
}

const struct dcmd dcmd_dump = {
	.name = "dump",
	.summary = "show memory as bytes",
	.help = "Lines begin at multiples of their length, so bytes before the "
		"address can show too; \\/ and v mark the address. Bytes that "
		"the target does not have are blank.",
	.example = "<rsp,40::dump -g 8 -e",
	.address_use = ADDRESS_OPTIONAL,
	.options = dump_options,
	.option_count = sizeof(dump_options) / sizeof(dump_options[0]),
	.options_size = sizeof(struct dump_options),
	.tables = dump_tables,
	.table_count = 1,
	.takes_count = true,
	.run = dump_run,
};
