/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KDBG_UTF8_H
#define KDBG_UTF8_H

#include <stddef.h>
#include <stdio.h>

/* The length of the well-formed UTF-8 sequence at s (1 to 4 bytes, never past a
 * NUL), or 0: these bytes are not UTF-8. */
size_t utf8_sequence(const char *s);

/* Print s so that it cannot drive the terminal, what does not print as \xNN;
 * how many columns it took, one for each character. stream NULL: only count. */
size_t utf8_put(FILE *stream, const char *s);

#endif
