/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metadata: slab headers, bitmaps, bufctl arrays, magazines, thread and module
 * records. It lies in a part of the reserve of its own, between guard pages,
 * so no overrun of a user's buffer reaches it.
 */
#ifndef ALLOC_META_H
#define ALLOC_META_H

#include "alloc/lock.h"

#include <stddef.h>

/* For fork.c. */
extern struct kma_lock kma_meta_lock;

/*
 * Zeroed, 64-byte aligned; NULL when memory is exhausted. Takes the meta lock,
 * nothing else. Sizes are rounded to 64 and kept on free lists by size.
 */
void *kma_meta_alloc(size_t size);

/* size as given to kma_meta_alloc. */
void kma_meta_free(void *p, size_t size);

#endif
