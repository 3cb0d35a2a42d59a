/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/number_text.h"

#include "kdbg/session.h"
#include "kdbg/symbols.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void number_in_radix(uint64_t value, unsigned radix,
		     char text[NUMBER_TEXT_SIZE])
{
	char digits[NUMBER_TEXT_SIZE];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] =
			"0123456789abcdefghijklmnopqrstuvwxyz"[value % radix];
		value /= radix;
	} while (value);
	memcpy(text, digits + at, sizeof(digits) - at);
}

void number_signed_octal(int64_t value, char text[NUMBER_TEXT_SIZE])
{
	uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	snprintf(text, NUMBER_TEXT_SIZE, "%s%" PRIo64, value < 0 ? "-" : "",
		 magnitude);
}

void number_as_size(uint64_t bytes, char text[NUMBER_TEXT_SIZE])
{
	static const char units[] = "KMGTPE";
	double scaled = (double)bytes;
	int unit = -1;

	while (scaled >= 1024 && unit + 1 < (int)sizeof(units) - 1) {
		scaled /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(text, NUMBER_TEXT_SIZE, "%" PRIu64, bytes);
	else
		snprintf(text, NUMBER_TEXT_SIZE, "%.1f%c", scaled, units[unit]);
}

void number_as_time(int64_t seconds, const char *format, char *text,
		    size_t size)
{
	time_t time = seconds;
	struct tm tm;

	if (!gmtime_r(&time, &tm) || !strftime(text, size, format, &tm))
		snprintf(text, size, "%" PRId64, seconds);
}

void number_as_symbol(struct session *session, uint64_t address, char *text,
		      size_t size)
{
	struct symbols *symbols;
	struct err *err = session_symbols(session, &symbols);

	if (!err)
		symbols_format(symbols, address, text, size);
	else
		snprintf(text, size, "0x%" PRIx64, address);
	err_free(err);
}
