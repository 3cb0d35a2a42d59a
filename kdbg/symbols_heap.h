/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KDBG_SYMBOLS_HEAP_H
#define KDBG_SYMBOLS_HEAP_H

struct heap;
struct symbols;

/* Stacks may lead through libraries that have been closed since: the allocator
 * remembers them. Symbols may then name modules as the heap does, so they are
 * destroyed first. */
void symbols_add_heap(struct symbols *symbols, struct heap *heap);

#endif
