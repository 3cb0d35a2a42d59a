/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a word to the buffer it points at, and from a buffer to its words:
 * what marking and the search for knots are made of.
 *
 * A word that falls in the heap costs two dependent loads (page to slab, slab
 * to geometry) and a multiplication. What lies in a slab is read in place:
 * the first question about a slab looks up where its bytes and its bufctls
 * are. Those pointers are the target's and end with the command:
 * scan_forget() drops them.
 */
#ifndef KDBG_REACH_SCAN_H
#define KDBG_REACH_SCAN_H

#include "dumpfmt/err.h"
#include "kdbg/heap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct target;

struct scan_slab {             /* one cache line */
	uint64_t first;        /* address of buffer 0 */
	uint64_t first_buffer; /* number of buffer 0 */
	const char *bytes;   /* of buffer 0; NULL: not looked up, or missing */
	const char *bufctls; /* or NULL */
	uint64_t stride;
	uint64_t reciprocal; /* of stride, times 2^32, rounded up */
	uint32_t buffers;
	uint16_t layout; /* index into scan.layouts */
	bool viewed;     /* bytes and bufctls were looked up */
};

struct scan {
	struct target *target;
	struct heap *heap;
	const struct heap_pages *pages; /* one per instance */
	size_t page_ranges;
	uint64_t low, span; /* all heaps lie in [low, low + span) */
	struct scan_slab *slabs;
	size_t slab_count;
	uint64_t buffer_count;
	struct heap_bufctl_layout *layouts; /* one per instance */
	char *copy; /* words of a buffer that could not be viewed */
	size_t copy_size;
	uint64_t copied; /* their address */
	uint64_t unread; /* bytes that scan_words() found missing */
};

/* A buffer, known by its slab and its place there. */
struct scan_buffer {
	uint32_t slab, index;
};

struct scan_extent { /* what the program has of a buffer */
	uint64_t user, size;
};

/* heap must outlive the scan. */
struct err *scan_create(struct target *target, struct heap *heap,
			struct scan **ret) MUST_USE;
void scan_destroy(struct scan *scan);
void scan_forget(struct scan *scan);

void scan_view(struct scan *scan, struct scan_slab *slab);

static inline uint64_t scan_number(const struct scan *scan,
				   struct scan_buffer buffer)
{
	return scan->slabs[buffer.slab].first_buffer + buffer.index;
}

/* Every word that can point into a heap passes this. */
static inline bool scan_in_range(const struct scan *scan, uint64_t word)
{
	return word - scan->low < scan->span;
}

/* Which buffer, live or not, holds the address, its slack included? */
static inline bool scan_find(const struct scan *scan, uint64_t word,
			     struct scan_buffer *ret)
{
	const struct heap_pages *pages = scan->pages;
	const struct heap_pages *end = pages + scan->page_ranges;
	const struct scan_slab *slab;
	uint64_t offset, index;

	while (word - pages->base >= pages->end - pages->base)
		if (++pages == end)
			return false;
	ret->slab =
		pages->slab_of_page[(word - pages->base) >> pages->page_shift];
	if (ret->slab >= scan->slab_count)
		return false;
	slab = &scan->slabs[ret->slab];
	offset = word - slab->first;
	if (offset >= slab->stride * slab->buffers)
		return false;
	if (offset >> 32) { /* one huge buffer */
		index = offset / slab->stride;
	} else {
		index = offset * slab->reciprocal >> 32;
		index -= index * slab->stride > offset;
	}
	ret->index = (uint32_t)index;
	return true;
}

/* Where the bufctl's word of a buffer is, for prefetching; NULL: none. */
static inline const char *scan_word_at(const struct scan *scan,
				       struct scan_buffer buffer)
{
	const struct scan_slab *slab = &scan->slabs[buffer.slab];
	const struct heap_bufctl_layout *layout = &scan->layouts[slab->layout];

	if (!slab->bufctls)
		return NULL;
	return slab->bufctls + (size_t)buffer.index * layout->stride +
	       layout->word_offset;
}

static inline const char *scan_bytes_at(const struct scan *scan,
					struct scan_buffer buffer)
{
	const struct scan_slab *slab = &scan->slabs[buffer.slab];

	return slab->bytes ? slab->bytes + buffer.index * slab->stride : NULL;
}

/* What the program asked for, as far as that is known. Never reaches out of
 * the buffer. */
struct scan_extent scan_extent(struct scan *scan, struct scan_buffer buffer);

/*
 * Is an inner reference what its owner keeps by design?
 *
 *	aligned in a larger buffer	the buffer's start is written beside it
 *	new T[n], T with a destructor	n is written first, T's size divides the
 *					rest
 */
bool scan_by_design(const struct scan *scan, struct scan_buffer buffer,
		    struct scan_extent extent, uint64_t word);

/* The aligned words of what the program has, for scan_load(); they stay until
 * the next call. What the target has no bytes for reads as zeros and is counted
 * in scan.unread. NULL: no words. */
const char *scan_words(struct scan *scan, struct scan_buffer buffer,
		       size_t *count);

static inline uint64_t scan_load(const char *words, size_t i)
{
	uint64_t word;

	memcpy(&word, words + i * sizeof(word), sizeof(word));
	return word;
}

#endif
