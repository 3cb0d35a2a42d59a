/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * addr/FORMAT and value=FORMAT: bytes as letters say.
 *
 * In memory each letter takes its size from the address on and moves on;
 * afterwards "+" is the address behind what was formatted. Text output puts
 * values side by side behind the address as a label; JSON has a row for each
 * value; a pipe carries the values.
 */
#ifndef KDBG_FORMAT_H
#define KDBG_FORMAT_H

#include "kdbg/session.h"
#include "kdbg/sink.h"
#include "kdbg/syntax.h"

enum format_kind {
	FORMAT_HEX,
	FORMAT_OCTAL,
	FORMAT_BINARY,
	FORMAT_SIGNED,
	FORMAT_UNSIGNED,
	FORMAT_SIGNED_OCTAL,
	FORMAT_RADIX,
	FORMAT_SWAPPED,
	FORMAT_REAL,
	FORMAT_SYMBOL,
	FORMAT_TIME,
	FORMAT_CHAR,
	FORMAT_CHAR_ESCAPED,
	FORMAT_STRING,
	FORMAT_STRING_ESCAPED,
	FORMAT_LABEL,
	FORMAT_NEWLINE,
	FORMAT_BLANK,
	FORMAT_TAB,
	FORMAT_FORWARD,
	FORMAT_BACKWARD,
	FORMAT_BACK_BY_INCREMENT,
	FORMAT_TEXT,
	FORMAT_INSTRUCTION,
	FORMAT_INSTRUCTION_ADDRESS,
	FORMAT_MATCH,
};

struct format {
	char letter;
	enum format_kind kind;
	unsigned size; /* bytes; 0: none, or as many as there are */
	const char *help;
};

/* All letters, in order of the alphabet; count of them. */
size_t format_letters(const struct format **ret);
const struct format *format_find(char letter); /* NULL: unknown */

/* Memory at address, count times over; or what the module's file has there.
 * Sets dot and increment. */
struct err *format_memory(struct session *session,
			  const struct format_item *items, uint64_t address,
			  uint64_t count, bool from_file,
			  struct sink *out) MUST_USE;

/* The value itself. */
struct err *format_value(struct session *session,
			 const struct format_item *items, uint64_t value,
			 struct sink *out) MUST_USE;

#endif
