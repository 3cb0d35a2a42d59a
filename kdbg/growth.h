/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What grew from one target to the next: live buffers by who allocated them.
 *
 * Addresses say nothing across runs, so stacks are compared by their frames'
 * names: module and function, the allocator's entry left out. Buffers without
 * a stack are compared by their cache.
 */
#ifndef KDBG_GROWTH_H
#define KDBG_GROWTH_H

#include "kdbg/heap.h"
#include "kdbg/session.h"

enum growth_side { GROWTH_OLD, GROWTH_NEW, GROWTH_SIDES };

struct growth_group {
	char *key;  /* frames, innermost first, a line each */
	bool cache; /* the key is a cache's name */
	uint64_t buffers[GROWTH_SIDES], bytes[GROWTH_SIDES];
	uint64_t example; /* a buffer, in the new target; 0: none there */
};

struct growth {
	struct growth_group *groups; /* most grown first */
	size_t count;
};

struct err *growth_find(struct session *old, struct session *new,
			struct growth *ret) MUST_USE;
void growth_deinit(struct growth *growth);

/* Bytes more than before. */
int64_t growth_bytes(const struct growth_group *group);

#endif
