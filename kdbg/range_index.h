/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which of many ranges holds an address: sorted, disjoint, searched by halves.
 *
 * Ranges come from a target, so they may be empty, upside down or on top of
 * each other. Empty ones are ignored; of two that overlap the one added first
 * stays, and range_index_finish() says how many were refused.
 */
#ifndef KDBG_RANGE_INDEX_H
#define KDBG_RANGE_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct range {
	uint64_t start, end;
	size_t item; /* the caller's: index of what the range stands for */
};

struct range_index { /* all zero: empty */
	struct range *ranges;
	size_t count;
	size_t refused; /* for want of memory */
};

void range_index_deinit(struct range_index *index);

/* Any number; then finish once; then find. */
void range_index_add(struct range_index *index, uint64_t start, uint64_t end,
		     size_t item);
size_t range_index_finish(struct range_index *index);

/* The item of the range that holds address, or -1. */
ptrdiff_t range_index_find(const struct range_index *index, uint64_t address);

#endif
