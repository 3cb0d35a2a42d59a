/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buffers that were never handed out, on pages that were the kernel's zeros
 * when their slab was made (kma_slab.pristine): nobody has written there, so
 * what is not zero is damage, most often by an overrun that went past its own
 * redzone.
 */
#ifndef ALLOC_PRISTINE_H
#define ALLOC_PRISTINE_H

#include "alloc/cache.h"
#include "alloc/pattern.h"
#include "alloc/report.h"

/* Is [from, to), 8-aligned at from, of a buffer about to be written for the
 * first time, not zero? It is made ready for writing before it is read. */
bool kma_pristine_spoilt(uintptr_t from, uintptr_t to, struct kma_damage *ret);

/* Does all of a plain cell (cell.h) about to be written read zero? False, too,
 * of one so large that not all of it will be written. */
bool kma_pristine_is_whole(uintptr_t start, size_t stride);

/* Is any of a buffer's cell, if it is of this kind, not zero? */
bool kma_pristine_damaged(const struct kma_buffer *buffer, uint64_t word,
			  struct kma_damage *ret);

/* Or what its slab has before the first cell and behind the last one? ret: as
 * if it were the buffer there. */
bool kma_pristine_edge_damaged(struct kma_slab *slab, bool behind,
			       struct kma_buffer *ret,
			       struct kma_damage *damage);

/* /proc/self/pagemap, to be closed; less than 0: there is none, or none that
 * tells of our pages (an emulator's may be of its own). */
int kma_pristine_pagemap(void);

/* From there to the slab's end nobody ever touched a page, by that file: they
 * need not be looked at, which would bring each of them in. */
uintptr_t kma_pristine_untouched(const struct kma_slab *slab, int pagemap);

/* Whose damage it may be: of the buffers of its slab that were ever used the
 * nearest, and what is to be reported of that one. */
enum kma_error_code kma_pristine_blame(const struct kma_buffer *buffer,
				       const struct kma_damage *damage,
				       struct kma_buffer *ret);

#endif
