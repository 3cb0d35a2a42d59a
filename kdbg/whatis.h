/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is at an address: every answer there is, the most particular first.
 *
 * Providers, in this order: buffers, slabs, what a slab has its pages from (a
 * buffer, segments of arenas), the allocator's own structures, symbols of
 * modules, threads' stacks, mappings. Numbers that are no addresses are asked
 * for apart: threads, and arenas of identifiers.
 */
#ifndef KDBG_WHATIS_H
#define KDBG_WHATIS_H

#include "kdbg/heap.h"
#include "kdbg/session.h"

enum whatis_kind {
	WHATIS_BUFFER,
	WHATIS_SLAB,
	WHATIS_CARRIER, /* a buffer whose bytes are a cache's pages */
	WHATIS_SEGMENT, /* of an arena */
	WHATIS_ALLOCATOR,
	WHATIS_SYMBOL,
	WHATIS_STACK,
	WHATIS_MAPPING,
	WHATIS_ADDRESS_KINDS,
	WHATIS_THREAD = WHATIS_ADDRESS_KINDS,
	WHATIS_IDENTIFIER,
	WHATIS_KIND_COUNT
};
const char *whatis_kind_name(enum whatis_kind kind);
const char *whatis_kind_summary(enum whatis_kind kind);

struct whatis_answer {
	enum whatis_kind kind;
	uint64_t base;     /* of what the address is in */
	char name[256];    /* in the place of base, where it has a name */
	char what[1024];   /* "allocated from kmem_alloc_64" */
	const char *cache; /* of a buffer or slab, or NULL */
	struct heap_buffer buffer; /* of WHATIS_BUFFER, WHATIS_CARRIER */
};

/* At most one answer of each kind, and at most max; how many. */
size_t whatis_find(struct session *session, uint64_t address,
		   struct whatis_answer *answers, size_t max);
/* The same of a number that is no address. */
size_t whatis_find_identifier(struct session *session, uint64_t number,
			      struct whatis_answer *answers, size_t max);

#endif
