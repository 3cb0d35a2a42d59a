/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who points there? Every word of memory, and of the registers, that points
 * into a range; what marking counts as a reference, and on request what it
 * does not: leaked and freed buffers, slack, unused parts of stacks.
 */
#ifndef KDBG_REFS_H
#define KDBG_REFS_H

#include "kdbg/place.h"

struct ref {
	struct place place;
	uint64_t word;
	uint64_t offset; /* of the word from the start of the range */
};

struct refs_range {
	uint64_t start, end; /* words in [start, end] point there */
	bool own;            /* also words that lie in it themselves */
	bool unaligned;      /* words at any byte, whatever marking read */
};

/* What an address stands for: the bytes of the buffer that holds it, one past
 * the end included; else itself. */
struct refs_range refs_range_of(struct heap *heap, uint64_t address);

/* A bufctl stands for its buffer; any other address for itself. */
uint64_t refs_buffer_address(struct heap *heap, uint64_t address);

/* False: enough. */
typedef bool refs_fn(void *context, const struct ref *ref);

/* Registers first, then memory by address. Interrupted, it is an error that
 * says so. */
struct err *refs_find(struct session *session, struct places *places,
		      const struct refs_range *range, refs_fn *each,
		      void *context) MUST_USE;

#endif
