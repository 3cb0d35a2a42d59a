/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks: captured without frame pointers, kept once.
 *
 * kma_stack_capture() walks the calling thread's stack by the rules of
 * .eh_frame, through a cache of rules by PC. It takes no lock, allocates
 * nothing, reads only inside the thread's stack, and is safe in a signal
 * handler. Frames of this library are cut but for the outermost, the function
 * the program called: frame 0.
 *
 * The depot keeps each distinct stack once and names it by a 32-bit id: the
 * entry's offset in the depot's range in units of KMA_STACK_UNIT bytes. Id 0
 * is "none" (the depot was full, which it counts).
 */
#ifndef ALLOC_STACK_H
#define ALLOC_STACK_H

#include <stddef.h>
#include <stdint.h>

enum { KMA_STACK_UNIT = 8, KMA_STACK_MAX = 512 };

enum kma_stack_flags {
	KMA_STACK_TRUNCATED = 1, /* depth limit, or a frame without a rule */
	KMA_STACK_BY_FRAME_POINTER = 2, /* some frame had no rule: guessed */
};

struct kma_stack {
	uint32_t hash;
	uint32_t next; /* id of the next in the hash chain */
	uint16_t depth;
	uint16_t flags; /* enum kma_stack_flags */
	uint32_t pad;
	uint64_t pc[]; /* return addresses, innermost first */
};

struct kma_depot {
	char *base;
	uint64_t used;     /* bytes */
	uint64_t capacity; /* bytes, reserved */
	uint64_t count;    /* stacks */
	uint64_t dropped;  /* captures that found it full */
	uint32_t *table;   /* hash heads */
	uint64_t table_mask;
};

/* Capture up to limit frames (0: KMA_STACK_MAX) and intern them. */
uint32_t kma_stack_record(unsigned limit);

/* The same into the caller's array, from here, or from a signal's context. */
size_t kma_stack_capture(uint64_t *pc, size_t max, uint16_t *flags);
struct ucontext_t;
size_t kma_stack_capture_context(const void *ucontext, uint64_t *pc, size_t max,
				 uint16_t *flags);

/* NULL for 0 and for an id that is not one. */
const struct kma_stack *kma_stack_get(uint32_t id);

#endif
