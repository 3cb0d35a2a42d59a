/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types of memory: an account each, and for each buffer the number of its type
 * in an array beside the slab (kma_slab.types), which is made with the first
 * typed buffer of the slab.
 *
 *	types.c       the types, their limits and what they have counted
 *	type_alloc.c  malloc and free with one
 */
#ifndef ALLOC_TYPES_H
#define ALLOC_TYPES_H

#include "alloc/lock.h"

#include <stdint.h>

enum {
	KMA_TYPE_NAME_SIZE = 32,
	KMA_TYPES_NUMBERED = 50, /* 386BSD's */
	KMA_TYPES_MAX = UINT16_MAX,
};

struct kma_type {
	struct kma_type *next; /* all, latest first */
	char name[KMA_TYPE_NAME_SIZE];
	uint32_t number; /* from 1; in kma_slab.types */
	uint32_t hoards; /* pages of its buffers are never given back */
	/* Changed atomically. */
	uint64_t memuse; /* bytes, at the buffers' sizes */
	uint64_t limit;  /* of these; UINT64_MAX: none */
	uint64_t maxused;
	uint64_t inuse; /* buffers */
	uint64_t calls; /* that had what they asked for */
	uint64_t fails;
	uint64_t limblocks; /* slept, or failed, at the limit */
	uint64_t sizes;     /* bit n: buffers of 2^n bytes at most */
};

/* NULL: there is none. */
struct kma_type *kma_type_of_number(uint32_t number);

/* For fork.c: makes types. */
extern struct kma_lock kma_type_lock;

#endif
