/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names and source places of what stacks lead through, to be saved in a dump:
 * of the stacks that libkma has kept, and of those of the threads. Every word
 * there that points into a module counts, as alloc/dump_symbols.c does it;
 * what this adds is file, line and inlined calls, where there is DWARF.
 */
#ifndef KDBG_SYMBOLS_SAVE_H
#define KDBG_SYMBOLS_SAVE_H

#include "kdbg/target.h"

struct heap;
struct symbols;

struct symbols_saved {
	struct dump_symbol *list; /* texts are the symbols' */
	size_t count;
	struct heap *heap;
	struct symbols *symbols;
};

/* Zeroes: nothing is saved. The target must outlive it. */
struct err *symbols_save(struct target *target,
			 struct symbols_saved *ret) MUST_USE;
void symbols_saved_deinit(struct symbols_saved *saved);

#endif
