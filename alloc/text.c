/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/text.h"

#include <string.h>

void kma_text_init(struct kma_text *text, char *buffer, size_t capacity)
{
	*text = (struct kma_text){ .at = buffer, .capacity = capacity };
	text->at[0] = '\0';
}

void kma_text_clear(struct kma_text *text)
{
	text->size = 0;
	text->at[0] = '\0';
}

static void add(struct kma_text *text, const char *bytes, size_t size)
{
	size_t room = text->capacity - 1 - text->size;

	if (size > room)
		size = room;
	memcpy(text->at + text->size, bytes, size);
	text->size += size;
	text->at[text->size] = '\0';
}

void kma_text_string(struct kma_text *text, const char *string)
{
	add(text, string, strlen(string));
}

/* At least width digits. */
static void number(struct kma_text *text, uint64_t value, unsigned base,
		   unsigned width)
{
	char digits[20];
	size_t at = sizeof(digits);

	while (value || width || at == sizeof(digits)) {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
		width -= width > 0;
	}
	add(text, digits + at, sizeof(digits) - at);
}

void kma_text_decimal(struct kma_text *text, uint64_t value)
{
	number(text, value, 10, 1);
}

void kma_text_hex(struct kma_text *text, uint64_t value)
{
	add(text, "0x", 2);
	number(text, value, 16, 1);
}

void kma_text_seconds(struct kma_text *text, uint64_t nanoseconds)
{
	number(text, nanoseconds / 1000000000, 10, 1);
	add(text, ".", 1);
	number(text, nanoseconds / 1000000 % 1000, 10, 3);
}

void kma_text_bytes(struct kma_text *text, const unsigned char *bytes,
		    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			add(text, " ", 1);
		number(text, bytes[i], 16, 2);
	}
}
