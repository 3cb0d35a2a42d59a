/* SPDX-License-Identifier: BSD-2-Clause */
/* A part for each processor, as the debugger finds it. */
#ifndef ALLOC_PERCPU_H
#define ALLOC_PERCPU_H

#include "alloc/lock.h"

#include <stddef.h>
#include <stdint.h>

/* Its own lines of the processor's cache. */
struct kma_percpu_part {
	struct kma_lock lock;
	uint32_t holder; /* tid; 0: nobody */
	uint64_t pad[7];
	/* size bytes follow */
};

struct kma_percpu {
	struct kma_percpu *next, *prev; /* all, latest first */
	size_t size;                    /* of a part, as it was asked for */
	size_t stride;                  /* from one part to the next */
	uint32_t count;                 /* processors */
	uint32_t pad;
	void *owner; /* the client's own */
	char *parts; /* struct kma_percpu_part, and what follows it */
};

/* What stands before the bytes of a part. */
enum { KMA_PERCPU_HEAD = sizeof(struct kma_percpu_part) };

/* For fork.c. In the child, while the calling thread has the number that it had
 * in its parent: parts that others hold are free. */
extern struct kma_lock kma_percpu_lock;
void kma_percpu_forked(void);

#endif
