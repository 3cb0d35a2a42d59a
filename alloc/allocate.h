/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocation as the malloc family, C++'s operators and kmem share it: a cache,
 * or pages of its own, for a size, dressed where the tier wants it.
 */
#ifndef ALLOC_ALLOCATE_H
#define ALLOC_ALLOCATE_H

#include "alloc/cache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is a request a sample (sample.h)? */
enum kma_request_sample {
	KMA_SAMPLE_IF_DUE,
	KMA_SAMPLE_ALWAYS,
	KMA_SAMPLE_NEVER,
};

struct kma_request {
	size_t size;
	size_t align; /* a power of two */
	enum kma_family family;
	bool zero;
	bool must; /* fault injection does not fail it */
	enum kma_request_sample sample;
};

/* NULL with errno ENOMEM when there is no memory. */
void *kma_allocate(const struct kma_request *request);

/* The same for what is 16-aligned, where the fast path has failed: its caller
 * then needs no stack of its own for the request. */
void *kma_allocate_size(size_t size, enum kma_family family);

/* size: what the caller claims, or SIZE_MAX. NULL is ignored; errno is kept. */
void kma_release(void *p, size_t size, enum kma_family family,
		 const char *function);

/* The buffer that p is the program's pointer to, live or not; false, and
 * reported, when it is none, or a client's. */
bool kma_buffer_of(const void *p, const char *function, struct kma_buffer *ret);

/* As realloc(3): size 0 frees. */
void *kma_reallocate(void *p, size_t size);

/* Buffers whose free a signal handler had to leave to others. The caller has
 * entered and is not nested. */
void kma_deferred_drain(void);

/* Bytes the program may use; 0 for what is not a live buffer of ours. */
size_t kma_usable_size(const void *p);

/*
 * Report a free that tier off let pass and that showed when the buffer came
 * back to its slab: it was free there already, or never a buffer.
 */
void kma_report_bad_free(uintptr_t start, const char *function);

/* Empty the depots, give free pages back; bytes returned to the system. */
size_t kma_trim(void);

#endif
