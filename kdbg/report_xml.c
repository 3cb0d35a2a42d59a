/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/report_xml.h"

#include "kdbg/utf8.h"

#include <stdbool.h>
#include <string.h>

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\t': /* in an attribute these would be read as spaces */
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return NULL;
	}
}

static bool is_character(const char *s, size_t length)
{
	if (length == 1)
		return (unsigned char)*s >= 0x20;
	return length && !(length == 3 && (memcmp(s, "\xef\xbf\xbe", 3) == 0 ||
					   memcmp(s, "\xef\xbf\xbf", 3) == 0));
}

void report_xml_text(FILE *out, const char *text)
{
	while (*text) {
		size_t length = utf8_sequence(text);

		if (entity(*text))
			fputs(entity(*text), out);
		else if (is_character(text, length))
			fwrite(text, 1, length, out);
		else
			fputs("\xef\xbf\xbd", out);
		text += length ? length : 1;
	}
}

void report_xml_element(FILE *out, const char *name, const char *text)
{
	fprintf(out, "<%s>", name);
	report_xml_text(out, text);
	fprintf(out, "</%s>", name);
}
