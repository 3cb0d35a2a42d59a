/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A target with a heap made of parts, to mark in: one slab of audited 64-byte
 * buffers, one of plain ones, a data page. */
#ifndef TESTS_UNIT_FAKE_WORLD_H
#define TESTS_UNIT_FAKE_WORLD_H

#include "kdbg/reach.h"
#include "kdbg/session.h"
#include "tests/unit/fake_heap.h"

#define DATA_BASE UINT64_C(0x400000)

enum { RW = DUMP_MAP_READ | DUMP_MAP_WRITE | DUMP_MAP_STORED };

struct world {
	struct fake_target *parts;
	struct fake_heap *heap;
	size_t audited, plain; /* the slabs */
	char *data;
	struct session session;
	struct reach_options options;
	struct reach *reach;
};

void world_setup(struct world *w);
void world_setup_pages(struct world *w, size_t pages); /* of the heap */
void world_teardown(struct world *w);

/* A mapping of zeros; its memory may be written to until the mark. */
char *world_memory(struct world *w, uint64_t address, size_t size,
		   uint32_t flags, const char *path);

/* Mark, again if need be: what the target is made of is final by then. */
void world_mark(struct world *w);
enum reach_class world_class(struct world *w, uint64_t user);

#endif
