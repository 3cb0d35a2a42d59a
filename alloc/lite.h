/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tier lite: for each buffer one word, out of line, with its state, family and
 * exact request. A second free, a free of no buffer's start and a wrong size
 * are found at once; nothing is written into buffers and no stack is taken.
 */
#ifndef ALLOC_LITE_H
#define ALLOC_LITE_H

#include "alloc/cache.h"

/* The program has the buffer from now on. False: it had it already, as two
 * threads freed it at once (fast_kernel.h), which was reported. */
bool kma_lite_alloc(const struct kma_buffer *buffer, size_t size,
		    enum kma_family family);

/* As kma_audit_free(). */
bool kma_lite_free(const struct kma_buffer *buffer, uintptr_t user, size_t size,
		   enum kma_family family, const char *function);

/* A live buffer's request is size from now on. */
void kma_lite_resize(const struct kma_buffer *buffer, size_t size);

#endif
