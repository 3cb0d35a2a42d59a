/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How far what a command showed can be trusted. */
#ifndef KDBG_DCMDS_HEAP_NOTES_H
#define KDBG_DCMDS_HEAP_NOTES_H

#include "kdbg/heap.h"
#include "kdbg/sink.h"

/* A note for each thing in the heap that could not be read or believed. */
void heap_notes(const struct heap *heap, struct sink *out);

#endif
