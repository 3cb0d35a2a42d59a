/* SPDX-License-Identifier: BSD-2-Clause */
/* Stretches of the environment's text, as the options' files read them. */
#ifndef ALLOC_OPTIONS_TEXT_H
#define ALLOC_OPTIONS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A stretch of text, not terminated. */
struct text {
	const char *at;
	size_t size;
};

static inline bool text_is(struct text text, const char *word)
{
	return strlen(word) == text.size &&
	       memcmp(text.at, word, text.size) == 0;
}

/* Cut text before the first separator; the rest goes to *rest. */
static inline struct text text_cut(struct text text, char separator,
				   struct text *rest)
{
	const char *at = memchr(text.at, separator, text.size);
	struct text head = text;

	*rest = (struct text){ text.at + text.size, 0 };
	if (!at)
		return head;
	head.size = (size_t)(at - text.at);
	rest->at = at + 1;
	rest->size = text.size - head.size - 1;
	return head;
}

static inline bool text_number(struct text text, size_t *ret)
{
	size_t number = 0;

	if (text.size == 0)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		unsigned digit = (unsigned)(unsigned char)text.at[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, digit, &number))
			return false;
	}
	*ret = number;
	return true;
}

/* A number with K, M, G or T behind it. */
static inline bool text_size(struct text text, size_t *ret)
{
	static const char units[] = "KMGT";
	unsigned shift = 0;
	size_t number;

	if (text.size && text.at[text.size - 1] > '9') {
		const char *unit =
			strchr(units, text.at[text.size - 1] & ~0x20);

		if (!unit)
			return false;
		shift = 10 * (unsigned)(unit - units + 1);
		text.size--;
	}
	if (!text_number(text, &number) || number > SIZE_MAX >> shift)
		return false;
	*ret = number << shift;
	return true;
}

/* The same where none is no size. */
static inline bool text_size_some(struct text text, size_t *ret)
{
	size_t size;

	if (!text_size(text, &size) || size == 0)
		return false;
	*ret = size;
	return true;
}

#endif
