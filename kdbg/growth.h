/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What grew over two or more targets, in the order they were made: live
 * buffers by who allocated them, or by cache, type or age.
 *
 * Addresses say nothing across runs, so stacks are compared by their frames'
 * names: module and function, the allocator's entry left out. Buffers without
 * a stack are compared by their cache. Of three or more targets the slope tells
 * a leak from a cache that fills: what grew at every step grows on.
 */
#ifndef KDBG_GROWTH_H
#define KDBG_GROWTH_H

#include "kdbg/heap.h"
#include "kdbg/session.h"

enum growth_by {
	GROWTH_BY_STACK,
	GROWTH_BY_CACHE,
	GROWTH_BY_TYPE, /* the class whose vtable a buffer starts with */
	GROWTH_BY_AGE,  /* since the allocation, as of each target */
	GROWTH_BY_COUNT
};

/* False: no such name. */
bool growth_by_name(const char *name, enum growth_by *ret);

struct growth_side {
	uint64_t buffers, bytes;
};

struct growth_group {
	char *key;   /* frames, innermost first, a line each; or a label */
	bool frames; /* it is frames */
	struct growth_side *sides; /* one for each target */
	uint64_t example;          /* a buffer in the last; 0: none there */
	double slope;              /* bytes from one target to the next */
	size_t steps;              /* at which it grew */
};

struct growth {
	struct growth_group *groups; /* most slope first */
	size_t count;
	size_t sides;
};

struct err *growth_find(struct session *const *sessions, size_t count,
			enum growth_by by, struct growth *ret) MUST_USE;
void growth_deinit(struct growth *growth);

/* More in the last than in the first. */
int64_t growth_bytes(const struct growth *growth,
		     const struct growth_group *group);
int64_t growth_buffers(const struct growth *growth,
		       const struct growth_group *group);

#endif
