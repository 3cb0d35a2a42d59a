/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where in the target's memory something stands: words in a range or under a
 * mask, or a string of bytes.
 *
 * A word matches if ((word & mask) - low) <= span, modulo 2^64: one comparison
 * for a value, a mask and a distance alike. The bytes are looked at in place.
 * What is known to be zero is passed over unless zeros match, so reserved
 * memory costs nothing. A match must lie in one mapping.
 */
#ifndef KDBG_MEMORY_SEARCH_H
#define KDBG_MEMORY_SEARCH_H

#include "kdbg/session.h"

struct memory_pattern {
	const unsigned char *bytes; /* NULL: words */
	size_t length;              /* of bytes; at least 1 */
	unsigned size;              /* of a word: 1, 2, 4, 8 */
	bool unaligned;             /* words at any address */
	uint64_t mask, low, span;
};

struct memory_range {
	uint64_t from, upto;
};

/* False: stop. */
typedef bool memory_found_fn(void *context, uint64_t address);

/* Call found for each match that begins in range, in order of address. Ctrl-C
 * ends it. Bytes that cannot be read are left out; the number of them. */
uint64_t memory_search(struct session *session,
		       const struct memory_pattern *pattern,
		       struct memory_range range, memory_found_fn *found,
		       void *context);

#endif
