/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/format.h"

#include "kdbg/disassemble.h"
#include "kdbg/expression.h"
#include "kdbg/format_line.h"
#include "kdbg/number_text.h"
#include "kdbg/radix_hint.h"
#include "kdbg/symbols.h"
#include "kdbg/target.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	LABEL_WIDTH = 16,
	LINE_WIDTH = 80,
	TEXT_SIZE = 160,
	STRING_SIZE = 4096, /* of a string; the rest comes with the next s */
	CHARS_MAX = STRING_SIZE / 4,
};

struct formatter {
	struct session *session;
	bool memory;
	bool from_file; /* not memory but what the module's file has there */
	uint64_t at;    /* memory: where the next letter reads */
	uint64_t value; /* else: what each letter shows */
	struct format_line line;
};

static uint64_t truncate(uint64_t value, unsigned size)
{
	return size < 8 ? value & ((UINT64_C(1) << size * 8) - 1) : value;
}

static int64_t extend(uint64_t value, unsigned size)
{
	unsigned unused = 64 - size * 8;

	return (int64_t)(value << unused) >> unused;
}

/* Bytes at the place where the next letter reads. */
static struct err *read_bytes(const struct formatter *f, void *buffer,
			      size_t size)
{
	struct target *target = f->session->target;
	struct err *err;

	if (f->from_file)
		err = err_wrap(target_read_file(target, f->at, buffer, size),
			       "? reads files, / memory");
	else
		err = target_read(target, f->at, buffer, size);
	return radix_hint_error(f->session, err, f->at);
}

static struct err *read_uint(const struct formatter *f, size_t size,
			     uint64_t *ret)
{
	*ret = 0; /* little-endian, as the target */
	return read_bytes(f, ret, size);
}

/* A string, or its first size - 1 bytes. */
static struct err *read_text(const struct formatter *f, char *buffer,
			     size_t size)
{
	struct formatter at = *f;
	struct err *err;

	if (!f->from_file) {
		err = target_read_text(f->session->target, f->at, buffer, size);
		return radix_hint_error(f->session, err, f->at);
	}
	for (size_t i = 0; i + 1 < size; i++, at.at++) {
		err = read_bytes(&at, &buffer[i], 1);
		if (err || !buffer[i])
			return err;
	}
	buffer[size - 1] = '\0';
	return NULL;
}

static void print_real(uint64_t value, unsigned size, char *text)
{
	uint32_t low = (uint32_t)value;
	double real;
	float single;

	memcpy(&real, &value, sizeof(real));
	memcpy(&single, &low, sizeof(single));
	snprintf(text, TEXT_SIZE, "%.*g", size == 4 ? 9 : 17,
		 size == 4 ? (double)single : real);
}

/* C's escapes for what does not print. */
static void append_escaped(char *text, size_t size, unsigned char c)
{
	static const char from[] = "\a\b\f\n\r\t\v\033\\";
	static const char to[] = "abfnrtve\\";
	const char *letter = c ? strchr(from, c) : NULL;
	size_t used = strlen(text);

	if (letter)
		snprintf(text + used, size - used, "\\%c", to[letter - from]);
	else if (c == 0)
		snprintf(text + used, size - used, "\\0");
	else if (c < 0x20 || c >= 0x7f)
		snprintf(text + used, size - used, "\\x%02x", c);
	else
		snprintf(text + used, size - used, "%c", c);
}

static uint64_t swap(uint64_t value, unsigned size)
{
	return __builtin_bswap64(value) >> (64 - size * 8);
}

static void print_scalar(const struct formatter *f, const struct format *format,
			 uint64_t value, char *text)
{
	switch (format->kind) {
	case FORMAT_HEX:
		snprintf(text, TEXT_SIZE, "%" PRIx64, value);
		break;
	case FORMAT_SWAPPED:
		snprintf(text, TEXT_SIZE, "%" PRIx64,
			 swap(value, format->size));
		break;
	case FORMAT_OCTAL:
		snprintf(text, TEXT_SIZE, "%" PRIo64, value);
		break;
	case FORMAT_SIGNED_OCTAL:
		number_signed_octal(extend(value, format->size), text);
		break;
	case FORMAT_BINARY:
		number_in_radix(value, 2, text);
		break;
	case FORMAT_SIGNED:
		snprintf(text, TEXT_SIZE, "%" PRId64,
			 extend(value, format->size));
		break;
	case FORMAT_UNSIGNED:
		snprintf(text, TEXT_SIZE, "%" PRIu64, value);
		break;
	case FORMAT_RADIX:
		number_in_radix(value, f->session->radix, text);
		break;
	case FORMAT_REAL:
		print_real(value, format->size, text);
		break;
	case FORMAT_TIME:
		number_as_time(extend(value, format->size),
			       "%Y-%m-%d %H:%M:%SZ", text, TEXT_SIZE);
		break;
	default:
		number_as_symbol(f->session, value, text, TEXT_SIZE);
		break;
	}
}

static void begin_line(struct formatter *f)
{
	char text[TEXT_SIZE];

	if (!f->memory || f->line.used)
		return;
	number_as_symbol(f->session, f->at, text, TEXT_SIZE);
	format_line_add(&f->line, text);
	format_line_add(&f->line, ":");
	format_line_pad(&f->line, LABEL_WIDTH);
}

static void add_value(struct formatter *f, bool has_value, uint64_t value,
		      const char *text, size_t width)
{
	if (f->memory && f->line.used + strlen(text) > LINE_WIDTH &&
	    f->line.used > LABEL_WIDTH + 1)
		format_line_end(&f->line);
	begin_line(f);

	size_t start = f->line.used;
	format_line_value(&f->line, f->at, has_value, value, text);
	if (has_value)
		f->session->formatted = value;
	format_line_add(&f->line, text);
	if (width)
		format_line_pad(&f->line, start + width);
}

static struct err *put_scalar(struct formatter *f, const struct format *format)
{
	char text[TEXT_SIZE];
	uint64_t value = truncate(f->value, format->size);
	struct err *err = NULL;

	if (f->memory)
		err = read_uint(f, format->size, &value);
	if (err)
		return err;
	print_scalar(f, format, value, text);
	/* Only what can be an address is worth passing on. */
	add_value(f, format->kind != FORMAT_REAL, value, text,
		  format->size > 2 ? 16 : 8);
	if (f->memory)
		f->at += format->size;
	return NULL;
}

static struct err *put_chars(struct formatter *f, const struct format *format,
			     uint64_t count)
{
	char bytes[CHARS_MAX];
	char text[STRING_SIZE + 1] = "";
	struct err *err = NULL;

	count = count < CHARS_MAX ? count : CHARS_MAX;
	if (f->memory)
		err = read_bytes(f, bytes, count);
	else
		memset(bytes, (int)f->value, count);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		if (format->kind == FORMAT_CHAR_ESCAPED)
			append_escaped(text, sizeof(text),
				       (unsigned char)bytes[i]);
		else
			text[i] = bytes[i] ? bytes[i] : ' ';
	add_value(f, false, 0, text, 0);
	f->at += f->memory ? count : 0;
	return NULL;
}

static struct err *put_string(struct formatter *f, const struct format *format)
{
	char bytes[STRING_SIZE / 4 + 1];
	char text[STRING_SIZE + 1] = "";

	if (!f->memory)
		return err_new(ERR_USAGE, "%c shows memory: use /%c",
			       format->letter, format->letter);
	struct err *err = read_text(f, bytes, sizeof(bytes));
	if (err)
		return err;
	for (const char *s = bytes; *s; s++)
		if (format->kind == FORMAT_STRING_ESCAPED)
			append_escaped(text, sizeof(text), (unsigned char)*s);
	add_value(f, false, 0,
		  format->kind == FORMAT_STRING_ESCAPED ? text : bytes, 0);
	f->at += strlen(bytes) + 1;
	return NULL;
}

/* One a line: the next one's length is not known before. */
static struct err *put_instruction(struct formatter *f,
				   const struct format *format)
{
	struct instruction instruction;
	char text[1024], address[24];

	if (!f->memory)
		return err_new(ERR_USAGE, "%c shows memory: use /%c",
			       format->letter, format->letter);
	struct err *err =
		instruction_at(f->session, f->at, f->from_file, &instruction);
	if (err)
		return radix_hint_error(f->session, err, f->at);
	instruction_format(f->session, &instruction, text, sizeof(text));
	if (format->kind == FORMAT_INSTRUCTION_ADDRESS) {
		snprintf(address, sizeof(address), "%" PRIx64 ": ", f->at);
		format_line_add(&f->line, address);
	}
	add_value(f, true, f->at, text, 0);
	format_line_end(&f->line);
	f->at += instruction.size;
	return NULL;
}

/* The first word from here on that is the value under the mask: dot goes there.
 * What is not mapped ends the search. */
static struct err *put_match(struct formatter *f, const struct format *format,
			     const struct format_item *item)
{
	struct session *session = f->session;
	uint64_t value = 0, mask = UINT64_MAX, word = 0;
	char text[24];
	struct err *err = expression_value(session, item->value, &value);

	if (!err && item->mask)
		err = expression_value(session, item->mask, &mask);
	if (!err && !f->memory)
		err = err_new(ERR_USAGE, "%c looks in memory: use /%c",
			      format->letter, format->letter);
	mask = truncate(mask, format->size);
	for (; !err && !session_interrupted(session); f->at += format->size) {
		err = read_uint(f, format->size, &word);
		if (err || (word & mask) == value)
			break;
	}
	if (err)
		return err_wrap(err, "no match");
	session->dot = f->at;
	snprintf(text, sizeof(text), "%" PRIx64, word);
	add_value(f, true, f->at, text, 0);
	return NULL;
}

static void put_label(struct formatter *f)
{
	char text[TEXT_SIZE];

	number_as_symbol(f->session, f->memory ? f->at : f->value, text,
			 TEXT_SIZE);
	format_line_add(&f->line, text);
	format_line_add(&f->line, ":");
	format_line_pad(&f->line, LABEL_WIDTH);
}

static void put_layout(struct formatter *f, const struct format *format,
		       const struct format_item *item, uint64_t count)
{
	switch (format->kind) {
	case FORMAT_FORWARD:
		f->at += count;
		break;
	case FORMAT_BACKWARD:
		f->at -= count;
		break;
	case FORMAT_BACK_BY_INCREMENT:
		f->at -= count * f->session->increment;
		break;
	case FORMAT_NEWLINE:
		if (f->line.used)
			format_line_end(&f->line);
		else
			sink_line(f->line.out, "%s", "");
		break;
	case FORMAT_BLANK:
		format_line_add(&f->line, " ");
		break;
	case FORMAT_TAB:
		format_line_add(&f->line, "\t");
		break;
	case FORMAT_LABEL:
		put_label(f);
		break;
	default:
		format_line_add(&f->line, item->text);
		break;
	}
}

/* These take the count as a number and not as repetition. */
static bool counts_at_once(enum format_kind kind)
{
	return kind == FORMAT_CHAR || kind == FORMAT_CHAR_ESCAPED ||
	       kind == FORMAT_FORWARD || kind == FORMAT_BACKWARD ||
	       kind == FORMAT_BACK_BY_INCREMENT;
}

static struct err *put_once(struct formatter *f, const struct format *format,
			    const struct format_item *item, uint64_t count)
{
	if (format->kind == FORMAT_CHAR || format->kind == FORMAT_CHAR_ESCAPED)
		return put_chars(f, format, count);
	if (format->kind == FORMAT_STRING ||
	    format->kind == FORMAT_STRING_ESCAPED)
		return put_string(f, format);
	if (format->kind == FORMAT_INSTRUCTION ||
	    format->kind == FORMAT_INSTRUCTION_ADDRESS)
		return put_instruction(f, format);
	if (format->kind == FORMAT_MATCH)
		return put_match(f, format, item);
	if (format->size)
		return put_scalar(f, format);
	put_layout(f, format, item, count);
	return NULL;
}

static struct err *put_item(struct formatter *f, const struct format_item *item)
{
	const struct format *format = format_find(item->letter);
	uint64_t count = item->count;
	struct err *err = NULL;

	if (item->computed)
		err = expression_value(f->session, item->computed, &count);
	if (!err && counts_at_once(format->kind))
		return put_once(f, format, item, count);
	for (uint64_t i = 0; !err && i < count; i++) {
		if (session_interrupted(f->session) || f->line.out->failed)
			break;
		err = put_once(f, format, item, 1);
	}
	return err;
}

static struct err *put_items(struct formatter *f,
			     const struct format_item *items)
{
	struct err *err = NULL;

	for (; items && !err; items = items->next)
		err = put_item(f, items);
	return err;
}

static const struct format_item default_memory = { .letter = 'X', .count = 1 };
static const struct format_item default_value = { .letter = 'K', .count = 1 };

struct err *format_memory(struct session *session,
			  const struct format_item *items, uint64_t address,
			  uint64_t count, bool from_file, struct sink *out)
{
	struct formatter f = { .session = session,
			       .memory = true,
			       .from_file = from_file,
			       .at = address };
	struct err *err = NULL;

	if (!session->target)
		return err_new(ERR_NOT_FOUND, "no target is open");
	format_line_init(&f.line, out, true);
	for (uint64_t i = 0; !err && i < count; i++) {
		if (session_interrupted(session) || out->failed)
			break;
		session->dot = f.at;
		err = put_items(&f, items ? items : &default_memory);
		session->increment = f.at - session->dot;
	}
	format_line_end(&f.line);
	format_line_deinit(&f.line);
	return err;
}

struct err *format_value(struct session *session,
			 const struct format_item *items, uint64_t value,
			 struct sink *out)
{
	struct formatter f = { .session = session, .value = value };

	format_line_init(&f.line, out, false);
	struct err *err = put_items(&f, items ? items : &default_value);
	format_line_end(&f.line);
	format_line_deinit(&f.line);
	return err;
}
