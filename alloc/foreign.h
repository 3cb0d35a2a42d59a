/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages that clients bring for the slabs of their caches (a pool's own page
 * allocator, an arena of numbers): they lie outside of the page map, so a radix
 * table leads from their addresses to the slab. Only calls that name such a
 * cache look here.
 */
#ifndef ALLOC_FOREIGN_H
#define ALLOC_FOREIGN_H

#include "alloc/cache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For fork.c. */
extern struct kma_lock kma_foreign_lock;

/* Enter count pages, all of one slab; NULL: take them out. False: no memory. */
bool kma_foreign_set(uintptr_t base, size_t pages, struct kma_slab *slab);

/* As kma_buffer_find(), for pages that were entered. */
bool kma_foreign_find(uintptr_t address, struct kma_buffer *ret);

#endif
