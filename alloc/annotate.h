/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program tells of its own memory, for whoever looks for leaks later:
 * buffers that are lost on purpose, memory that holds pointers, moments with a
 * name. Kept in lists that hang on kma_root and are only ever added to.
 */
#ifndef ALLOC_ANNOTATE_H
#define ALLOC_ANNOTATE_H

#include <stddef.h>
#include <stdint.h>

/* Memory that is a root although it would not be one by itself. */
struct kma_region {
	struct kma_region *next;
	uint64_t start;
	uint64_t size; /* 0: removed, and to be used again */
};

enum { KMA_CHECKPOINT_NAME_SIZE = 48 };

struct kma_checkpoint {
	struct kma_checkpoint *next; /* the one before it */
	uint64_t time;               /* ticks */
	char name[KMA_CHECKPOINT_NAME_SIZE];
};

/* Between the two, nested or not, what this thread allocates is ignored. At
 * tier off it is not: kma_ignore() alone works there. */
void kma_ignore_begin(void);
void kma_ignore_end(void);

/* The bits that a buffer allocated now by this thread has in its word. */
uint64_t kma_ignore_bits(void);

#endif
