/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Are the bytes around and in a buffer as the allocator left them? The guards
 * next to a request and the fill of a free buffer, computed again by the rule
 * that dumpfmt/layout.h tells, from the target's own secret.
 */
#ifndef KDBG_HEAP_VERIFY_H
#define KDBG_HEAP_VERIFY_H

#include "kdbg/heap.h"

enum heap_verdict {
	VERDICT_CLEAN,
	VERDICT_DAMAGED,
	VERDICT_UNJUDGED,   /* no guards, or in the program's hands just then */
	VERDICT_UNREADABLE, /* not all of it is in the target */
};

enum heap_damage_place { DAMAGE_BEFORE, DAMAGE_INSIDE, DAMAGE_AFTER };

/* The damaged bytes of one word, from the first to the last. */
struct heap_damage {
	enum heap_damage_place place;
	uint64_t address;
	unsigned count; /* 1 .. 8 */
	unsigned char expected[8], found[8];
};

/*
 * Judge a buffer; each, unless NULL, is called for every damaged word, in
 * order of address. What could be read is judged even if not all could.
 */
typedef void heap_damage_fn(void *context, const struct heap_damage *damage);
enum heap_verdict heap_verify_buffer(struct heap *heap,
				     const struct heap_buffer *buffer,
				     heap_damage_fn *each, void *context);

/* Does kdbg know the rule by which the instance made its guards? */
bool heap_verify_possible(const struct heap *heap, size_t instance);

#endif
