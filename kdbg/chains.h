/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Why is a buffer alive? The shortest chains of references from a root to it,
 * one for each word that holds it, shortest first.
 *
 * A chain of plain references is looked for first; inner ones are followed
 * only where there is none (the buffer is "possible").
 */
#ifndef KDBG_CHAINS_H
#define KDBG_CHAINS_H

#include "kdbg/place.h"

struct chain_link { /* a word that refers to the next link's buffer */
	struct place place;
	uint64_t word;
};

struct chain {
	struct chain_link *links; /* the first is a root's */
	size_t count;
};

struct chains {
	struct chain *list;
	size_t count;
};

/* At most max. None: the buffer is leaked, or not live. */
struct err *chains_find(struct session *session, struct places *places,
			uint64_t address, size_t max,
			struct chains *ret) MUST_USE;
void chains_deinit(struct chains *chains);

#endif
