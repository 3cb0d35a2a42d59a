/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What of libkma's own memory may leave the house in a dump of level meta.
 *
 * Its metadata (caches, slabs, bufctls, stacks, logs) tells of the program's
 * bytes without having any, but for what quotes them: the first lines of
 * reports with the bytes that were found, the ring of messages, the contents
 * log. Its static data is another matter: buffers in which a dump was written,
 * registers of threads, texts of the environment. Of that, only what a heap
 * view reads is kept.
 */
#ifndef KDBG_HEAP_QUOTES_H
#define KDBG_HEAP_QUOTES_H

#include "kdbg/target.h"

struct heap_quotes {
	/* Of the static data, sorted and disjoint: what is not here is not to
	 * be kept. */
	struct dump_extent *data, *kept;
	size_t data_count, kept_count;
	struct dump_extent *quotes; /* any order */
	size_t quote_count;
	struct dump_extent *metadata; /* what there is to keep at all */
	size_t metadata_count;
	struct dump_extent *reserve; /* all that libkma's memory comes from */
	size_t reserve_count;
};

/* Every view of the heap is made once, to see what it reads. Nobody else may
 * have views of the target meanwhile. */
struct err *heap_quotes_find(struct target *target,
			     struct heap_quotes *ret) MUST_USE;
void heap_quotes_deinit(struct heap_quotes *quotes);

/* Make zero what of the size bytes at address is not to be kept. */
void heap_quotes_strip(const struct heap_quotes *quotes, uint64_t address,
		       unsigned char *bytes, size_t size);

#endif
