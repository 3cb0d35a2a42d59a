/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marking itself, on as many processors as there are: see reach.h for what the
 * marks mean and reach_mark.c for how. */
#ifndef KDBG_REACH_MARK_H
#define KDBG_REACH_MARK_H

#include "dumpfmt/err.h"

#include <stdint.h>

struct roots;
struct scan;
struct session;

enum mark { /* of a buffer, a byte each */
	    MARK_LIVE = 1,
	    MARK_INNER = 2, /* an inner reference was met */
	    MARK_PLAIN = 4,
	    MARK_POSSIBLE = 8,
	    /* the upper half: words at the end that its slab's buffers have and
	     * the program has not; ASK: the record tells what it has */
	    MARK_SHORT = 16,
	    MARK_ASK = 15 * MARK_SHORT,
};

struct mark_counts {
	uint64_t words;
	uint64_t references; /* words that lead to a live buffer */
};

/* Of count buffers, how many are marked PLAIN, and POSSIBLE at most. */
void marks_count(const uint8_t *marks, uint64_t count, uint64_t *plain,
		 uint64_t *possible);

/* The first in [from, upto) that is live and not PLAIN; upto: none. */
uint64_t marks_next_lost(const uint8_t *marks, uint64_t from, uint64_t upto);

/* marks has MARK_LIVE where it belongs; live of them. Every slab that can be
 * viewed has been. kinds: of roots, a bit each, that count. */
struct err *mark_reachable(struct session *session, struct scan *scan,
			   struct roots *roots, unsigned kinds, uint8_t *marks,
			   uint64_t live, struct mark_counts *ret) MUST_USE;

#endif
