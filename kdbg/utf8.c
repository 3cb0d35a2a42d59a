/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/utf8.h"

#include <stdbool.h>
#include <stdint.h>

static size_t length_by_lead(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

size_t utf8_sequence(const char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = length_by_lead((unsigned char)*s);

	if (length < 2)
		return length;
	uint32_t point = (unsigned char)*s & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (c & 0x3fu);
	}
	if (point < least[length] || point > 0x10ffff ||
	    (point >= 0xd800 && point <= 0xdfff))
		return 0;
	return length;
}

static void put_char(FILE *stream, unsigned char c)
{
	if ((c < 0x20 && c != '\t') || c >= 0x7f)
		fprintf(stream, "\\x%02x", c);
	else
		fputc(c, stream);
}

static bool is_control(const char *s, size_t length)
{
	/* U+0080 to U+009f are terminal controls as well. */
	return length == 2 && (unsigned char)s[0] == 0xc2 &&
	       (unsigned char)s[1] < 0xa0;
}

size_t utf8_put(FILE *stream, const char *s)
{
	size_t columns = 0;

	while (*s) {
		unsigned char c = (unsigned char)*s;
		size_t length = utf8_sequence(s);
		bool plain = length > 1 ? !is_control(s, length)
					: (c >= 0x20 && c < 0x7f) || c == '\t';

		if (!plain)
			length = 1;
		columns += plain ? 1 : 4;
		if (stream && plain)
			fwrite(s, 1, length, stream);
		else if (stream)
			put_char(stream, c);
		s += length;
	}
	return columns;
}
