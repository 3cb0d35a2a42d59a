/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory that is given back all at once: what a statement's syntax tree, or
 * the results of one command, are made of.
 */
#ifndef KDBG_ARENA_H
#define KDBG_ARENA_H

#include "dumpfmt/err.h"

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks;
};

/* An arena of zeroes is empty. */
void arena_deinit(struct arena *arena);

/* Zeroed and aligned for any type; NULL when memory is out. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size);
char *arena_text(struct arena *arena, const char *text, size_t length);
char *arena_print(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
