/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KDBG_UTF8_H
#define KDBG_UTF8_H

#include <stddef.h>

/* The length of the well-formed UTF-8 sequence at s (1 to 4 bytes, never past a
 * NUL), or 0: these bytes are not UTF-8. */
size_t utf8_sequence(const char *s);

#endif
