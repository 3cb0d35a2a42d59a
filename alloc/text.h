/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text put together without stdio and without memory: what does not fit is
 * cut. Always terminated.
 */
#ifndef ALLOC_TEXT_H
#define ALLOC_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct kma_text {
	char *at; /* the caller's memory */
	size_t size, capacity;
};

/* Empty text in a buffer of at least one byte. */
void kma_text_init(struct kma_text *text, char *buffer, size_t capacity);
void kma_text_clear(struct kma_text *text);
void kma_text_string(struct kma_text *text, const char *string);
void kma_text_decimal(struct kma_text *text, uint64_t number);
void kma_text_hex(struct kma_text *text, uint64_t number); /* with 0x */

/* "0.123", from nanoseconds. */
void kma_text_seconds(struct kma_text *text, uint64_t nanoseconds);

/* "de ad be ef" */
void kma_text_bytes(struct kma_text *text, const unsigned char *bytes,
		    size_t count);

#endif
