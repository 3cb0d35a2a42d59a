/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that libkma was loaded into and that never called it: what it has
 * is another's, most often as libkma.so was preloaded, which has no malloc.
 */
#ifndef KDBG_HEAP_UNSERVED_H
#define KDBG_HEAP_UNSERVED_H

#include "kdbg/heap.h"

/* What to say of such a heap, and what to do; NULL: it is none. */
const char *heap_unserved(struct heap *heap);

#endif
