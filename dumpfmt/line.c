/* SPDX-License-Identifier: BSD-2-Clause */
#include "dumpfmt/line.h"

#include <string.h>

void line_init(struct line *line, char *buffer, size_t size)
{
	*line = (struct line){ .text = buffer, .size = size };
	buffer[0] = '\0';
}

void line_add_bytes(struct line *line, const char *text, size_t size)
{
	size_t room = line->size - line->used - 1;

	if (size > room) {
		line->full = true;
		size = room;
	}
	memcpy(line->text + line->used, text, size);
	line->used += size;
	line->text[line->used] = '\0';
}

void line_add(struct line *line, const char *text)
{
	line_add_bytes(line, text, strlen(text));
}

void line_add_number(struct line *line, uint64_t value, unsigned base)
{
	char digits[64];
	size_t n = sizeof(digits);

	do {
		digits[--n] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	line_add_bytes(line, digits + n, sizeof(digits) - n);
}
