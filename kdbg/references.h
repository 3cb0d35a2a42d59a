/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Marking's rules, one word at a time: what a word refers to, and all words of
 * all roots. For engines that follow references to explain what marking found.
 */
#ifndef KDBG_REFERENCES_H
#define KDBG_REFERENCES_H

#include "kdbg/reach.h"
#include "kdbg/reach_scan.h"

struct session;

struct reference {
	struct scan_buffer to;
	uint64_t number; /* of that buffer */
	struct scan_extent extent;
	uint64_t offset; /* of the word from the buffer's start */
	bool plain;      /* to its start, or inside by design */
};

/* The live buffer that a word refers to, if any. */
bool reference_get(const struct reach *reach, uint64_t word,
		   struct reference *ret);

struct root_words {
	const struct root *root;
	const struct scan *scan; /* to read these words by */
	uint64_t address;  /* of the first word; of registers the offset */
	const char *words; /* for scan_pointer() */
	size_t count;      /* of scan_pointers() */
};

/* False: enough. */
typedef bool root_words_fn(void *context, const struct root_words *words);

/* In the order of roots_list(). What cannot be read is passed over: marking
 * has told of it. Interrupted, it is an error that says so. */
struct err *references_each_root(struct session *session,
				 const struct reach *reach, root_words_fn *each,
				 void *context) MUST_USE;

#endif
