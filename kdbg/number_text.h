/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a number means, as text: formats and ::printf show it alike. */
#ifndef KDBG_NUMBER_TEXT_H
#define KDBG_NUMBER_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct session;

enum { NUMBER_TEXT_SIZE = 65 };

/* radix: 2 to 36. */
void number_in_radix(uint64_t value, unsigned radix,
		     char text[NUMBER_TEXT_SIZE]);

void number_signed_octal(int64_t value, char text[NUMBER_TEXT_SIZE]);

/* "17.5K": bytes in the largest unit of which there is one. */
void number_as_size(uint64_t bytes, char text[NUMBER_TEXT_SIZE]);

/* Seconds since 1970 as strftime() has them, in UTC; decimal where that cannot
 * be. */
void number_as_time(int64_t seconds, const char *format, char *text,
		    size_t size);

/* An address as symbol and offset, or in hexadecimal. */
void number_as_symbol(struct session *session, uint64_t address, char *text,
		      size_t size);

#endif
