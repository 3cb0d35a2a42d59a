/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inner loops of a search: bytes and nothing else, so that two threads can
 * do it at once. What is found is kept until there is no more room for it; who
 * scans takes it away and goes on.
 */
#ifndef KDBG_MEMORY_SCAN_H
#define KDBG_MEMORY_SCAN_H

#include "kdbg/memory_search.h"

enum { SCAN_MATCHES_MAX = 4096 };

struct memory_scan {
	const struct memory_pattern *pattern;
	size_t length, step; /* of a match; between places to look at */
	uint64_t address;    /* of bytes */
	const unsigned char *bytes;
	size_t count; /* of places; each has length bytes */
	size_t at;    /* the next one */
	size_t found;
	uint64_t matches[SCAN_MATCHES_MAX];
};

/* Look on from at, until count or until there is no room. */
void memory_scan(struct memory_scan *scan);

/* Does a word match? */
static inline bool memory_word_matches(const struct memory_pattern *pattern,
				       uint64_t word)
{
	return (word & pattern->mask) - pattern->low <= pattern->span;
}

#endif
