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
#include "kdbg/pointer_forms.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct target;

struct scan_slab {             /* one cache line */
	uint64_t first;        /* address of buffer 0 */
	uint64_t first_buffer; /* number of buffer 0 */
	const char *bytes;   /* of buffer 0; NULL: not looked up, or missing */
	const char *bufctls; /* or words alone; or NULL */
	uint64_t stride;
	uint64_t size;       /* of all buffers */
	uint64_t reciprocal; /* of stride, times 2^64, rounded up; 0: one
			      * buffer, too large for it */
	uint32_t buffers;
	uint16_t layout; /* index into scan.layouts */
	bool viewed;     /* bytes and bufctls were looked up */
	bool hides;      /* see scan_hides() */
} __attribute__((aligned(64)));

struct scan_vtable {
	uint64_t address;
	uint64_t to_top, type; /* what lies before it */
	bool there;
};

struct scan_vtables { /* those looked at last */
	pthread_mutex_t lock;
	struct scan_vtable *slots;
};
struct scan_vtables *scan_vtables_create(void);
void scan_vtables_destroy(struct scan_vtables *all);

struct scan {
	struct target *target;
	struct heap *heap;
	struct heap_pages first_pages;  /* of the first instance: pages[0] */
	const struct heap_pages *pages; /* one per instance */
	size_t page_ranges;
	const struct heap_pages *foreign; /* of slabs outside of them */
	size_t foreign_ranges;
	struct pointer_forms forms;
	unsigned ways;      /* a word is read in so many; 1: as it stands */
	uint64_t low, span; /* all slabs lie in [low, low + span) */
	struct scan_slab *slabs;
	size_t slab_count;
	uint64_t buffer_count;
	struct heap_bufctl_layout *layouts; /* two for each instance:
					     * bufctls, words alone (lite) */
	struct scan_vtables *vtables;
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
			const struct pointer_forms *forms,
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

/* The same as below of what is not in the first instance's heap. */
uint32_t scan_slab_elsewhere(const struct scan *scan, uint64_t word);

/* The slab whose pages the address is in; HEAP_NO_SLAB, or no less than there
 * are: none. first: what scan->first_pages is. */
static inline uint32_t scan_slab_number(const struct scan *scan,
					const struct heap_pages *first,
					uint64_t word)
{
	uint64_t offset = word - first->base;

	if (__builtin_expect(offset >= first->end - first->base, 0))
		return scan_slab_elsewhere(scan, word);
	return first->slab_of_page[offset >> first->page_shift];
}

static inline const struct scan_slab *scan_slab_at(const struct scan *scan,
						   uint64_t word)
{
	uint32_t number = scan_slab_number(scan, &scan->first_pages, word);

	return number < scan->slab_count ? &scan->slabs[number] : NULL;
}

/* The place of the buffer that holds the address, its slack included. False:
 * none of the slab does. */
static inline bool scan_index_in(const struct scan_slab *slab, uint64_t word,
				 uint32_t *ret)
{
	uint64_t offset = word - slab->first;

	__extension__ typedef unsigned __int128 wide;
	*ret = (uint32_t)((wide)offset * slab->reciprocal >> 64);
	return offset < slab->size;
}

/* Which buffer, live or not, holds the address? NULL: none. */
static inline const struct scan_slab *scan_slab_of(const struct scan *scan,
						   uint64_t word, uint32_t *ret)
{
	const struct scan_slab *slab = scan_slab_at(scan, word);

	return slab && scan_index_in(slab, word, ret) ? slab : NULL;
}

static inline bool scan_find(const struct scan *scan, uint64_t word,
			     struct scan_buffer *ret)
{
	const struct scan_slab *slab = scan_slab_of(scan, word, &ret->index);

	if (slab)
		ret->slab = (uint32_t)(slab - scan->slabs);
	return slab;
}

/* Was a word of the slab met that may hide a pointer? Of several threads. */
static inline bool scan_hides(const struct scan_slab *slab)
{
	return __atomic_load_n(&slab->hides, __ATOMIC_RELAXED);
}

static inline void scan_set_hides(struct scan_slab *slab)
{
	if (!scan_hides(slab))
		__atomic_store_n(&slab->hides, true, __ATOMIC_RELAXED);
}

/* What a buffer's record, of a slab that has them, says of it. */
static inline uint64_t scan_word_in(const struct heap_bufctl_layout *layout,
				    const struct scan_slab *slab,
				    uint32_t index)
{
	uint64_t word;

	memcpy(&word,
	       slab->bufctls + (size_t)index * layout->stride +
		       layout->word_offset,
	       sizeof(word));
	return word;
}

/* What the program asked for, by that. Never reaches out of the buffer. */
static inline struct scan_extent
scan_extent_by(const struct heap_bufctl_layout *layout,
	       const struct scan_slab *slab, uint32_t index, uint64_t word)
{
	uint64_t user = slab->first + index * slab->stride;
	uint64_t offset =
		(word >> layout->offset_shift & layout->offset_mask) * 16;
	uint64_t size = word >> layout->size_shift, most;

	if (__builtin_expect(offset >= slab->stride,
			     0)) /* damaged: go by geometry */
		return (struct scan_extent){ user, slab->stride };
	most = slab->stride - offset;
	return (struct scan_extent){ user + offset, size < most ? size : most };
}

/* The same as far as it is known. Of a slab that has been viewed. */
static inline struct scan_extent scan_extent_in(const struct scan *scan,
						const struct scan_slab *slab,
						uint32_t index)
{
	const struct heap_bufctl_layout *layout = &scan->layouts[slab->layout];

	if (!slab->bufctls)
		return (struct scan_extent){ slab->first + index * slab->stride,
					     slab->stride };
	return scan_extent_by(layout, slab, index,
			      scan_word_in(layout, slab, index));
}

/* The same of any. */
struct scan_extent scan_extent(struct scan *scan, struct scan_buffer buffer);

/* Is an inner reference, to a buffer with that extent, what its owner keeps by
 * design? See reach_design.c. Safe in several threads, where nothing else asks
 * the target. */
bool scan_by_design(struct scan *scan, const struct scan_slab *slab,
		    struct scan_extent extent, uint64_t word);

/* How many aligned words an extent has. */
static inline size_t scan_word_count(struct scan_extent extent)
{
	uint64_t start = (extent.user + 7) & ~(uint64_t)7;
	uint64_t end = (extent.user + extent.size) & ~(uint64_t)7;

	return end > start ? (size_t)(end - start) / sizeof(uint64_t) : 0;
}

/* The aligned words of what the program has, and how many pointers they may be,
 * for scan_pointer(); they stay until the next call. What the target has no
 * bytes for reads as zeros and is counted in scan.unread. NULL: no words. */
const char *scan_words(struct scan *scan, struct scan_buffer buffer,
		       size_t *count);

static inline uint64_t scan_load(const char *words, size_t i)
{
	uint64_t word;

	memcpy(&word, words + i * sizeof(word), sizeof(word));
	return word;
}

/*
 * The pointers that count words may be, by number: each word's ways one after
 * the other. Where nothing but plain words was asked for they are the words.
 */
static inline size_t scan_pointers(const struct scan *scan, size_t count)
{
	if (!scan->forms.unaligned)
		return count * scan->ways;
	return count ? ((count - 1) * sizeof(uint64_t) + 1) * scan->ways : 0;
}

/* Where pointer i lies: bytes from the first word. */
static inline size_t scan_pointer_at(const struct scan *scan, size_t i)
{
	return i / scan->ways * (scan->forms.unaligned ? 1 : sizeof(uint64_t));
}

uint64_t scan_pointer_read(const struct scan *scan, const char *words,
			   size_t i);

/* Are they the words as they stand? */
static inline bool scan_is_plain(const struct scan *scan)
{
	return scan->ways == 1 && !scan->forms.unaligned;
}

static inline uint64_t scan_pointer(const struct scan *scan, const char *words,
				    size_t i)
{
	if (scan_is_plain(scan))
		return scan_load(words, i);
	return scan_pointer_read(scan, words, i);
}

#endif
