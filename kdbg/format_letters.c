/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/format.h"

static const struct format letters[] = {
	{ '+', FORMAT_FORWARD, 0, "move dot forward by the count" },
	{ '-', FORMAT_BACKWARD, 0, "move dot back by the count" },
	{ '^', FORMAT_BACK_BY_INCREMENT, 0,
	  "move dot back by the increment times the count" },
	{ '"', FORMAT_TEXT, 0, "the text itself" },
	{ 'a', FORMAT_LABEL, 0, "dot as symbol and offset" },
	{ 'b', FORMAT_OCTAL, 1, "octal, 1 byte" },
	{ 'B', FORMAT_HEX, 1, "hexadecimal, 1 byte" },
	{ 'c', FORMAT_CHAR, 1, "character" },
	{ 'C', FORMAT_CHAR_ESCAPED, 1, "character, with C escapes" },
	{ 'd', FORMAT_SIGNED, 2, "decimal, 2 bytes, signed" },
	{ 'D', FORMAT_SIGNED, 4, "decimal, 4 bytes, signed" },
	{ 'e', FORMAT_SIGNED, 8, "decimal, 8 bytes, signed" },
	{ 'E', FORMAT_UNSIGNED, 8, "decimal, 8 bytes, unsigned" },
	{ 'f', FORMAT_REAL, 4, "floating point, 4 bytes" },
	{ 'F', FORMAT_REAL, 8, "floating point, 8 bytes" },
	{ 'g', FORMAT_SIGNED_OCTAL, 8, "octal, 8 bytes, signed" },
	{ 'G', FORMAT_OCTAL, 8, "octal, 8 bytes" },
	{ 'h', FORMAT_SWAPPED, 2, "hexadecimal, 2 bytes, swapped" },
	{ 'H', FORMAT_SWAPPED, 4, "hexadecimal, 4 bytes, swapped" },
	{ 'i', FORMAT_INSTRUCTION, 0, "instruction" },
	{ 'I', FORMAT_INSTRUCTION_ADDRESS, 0, "address and instruction" },
	{ 'J', FORMAT_HEX, 8, "hexadecimal, 8 bytes" },
	{ 'K', FORMAT_HEX, 8, "hexadecimal, a pointer's size" },
	{ 'l', FORMAT_MATCH, 2, "find VALUE [MASK], 2 bytes" },
	{ 'L', FORMAT_MATCH, 4, "find VALUE [MASK], 4 bytes" },
	{ 'M', FORMAT_MATCH, 8, "find VALUE [MASK], 8 bytes" },
	{ 'n', FORMAT_NEWLINE, 0, "newline" },
	{ 'N', FORMAT_NEWLINE, 0, "newline" },
	{ 'o', FORMAT_OCTAL, 2, "octal, 2 bytes" },
	{ 'O', FORMAT_OCTAL, 4, "octal, 4 bytes" },
	{ 'p', FORMAT_SYMBOL, 8, "pointer, as symbol and offset" },
	{ 'P', FORMAT_SYMBOL, 8, "pointer, as symbol and offset" },
	{ 'q', FORMAT_SIGNED_OCTAL, 2, "octal, 2 bytes, signed" },
	{ 'Q', FORMAT_SIGNED_OCTAL, 4, "octal, 4 bytes, signed" },
	{ 'r', FORMAT_BLANK, 0, "blank" },
	{ 'R', FORMAT_BINARY, 8, "binary, 8 bytes" },
	{ 's', FORMAT_STRING, 0, "string" },
	{ 'S', FORMAT_STRING_ESCAPED, 0, "string, with C escapes" },
	{ 't', FORMAT_TAB, 0, "tab" },
	{ 'T', FORMAT_TAB, 0, "tab" },
	{ 'u', FORMAT_UNSIGNED, 2, "decimal, 2 bytes, unsigned" },
	{ 'U', FORMAT_UNSIGNED, 4, "decimal, 4 bytes, unsigned" },
	{ 'v', FORMAT_SIGNED, 1, "decimal, 1 byte, signed" },
	{ 'V', FORMAT_UNSIGNED, 1, "decimal, 1 byte, unsigned" },
	{ 'w', FORMAT_RADIX, 2, "default radix, 2 bytes" },
	{ 'W', FORMAT_RADIX, 4, "default radix, 4 bytes" },
	{ 'x', FORMAT_HEX, 2, "hexadecimal, 2 bytes" },
	{ 'X', FORMAT_HEX, 4, "hexadecimal, 4 bytes" },
	{ 'y', FORMAT_TIME, 8, "time, 8 bytes of seconds since 1970" },
	{ 'Y', FORMAT_TIME, 4, "time, 4 bytes of seconds since 1970" },
	{ 'Z', FORMAT_HEX, 8, "hexadecimal, 8 bytes" },
};

size_t format_letters(const struct format **ret)
{
	*ret = letters;
	return sizeof(letters) / sizeof(letters[0]);
}

const struct format *format_find(char letter)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].letter == letter)
			return &letters[i];
	return NULL;
}
