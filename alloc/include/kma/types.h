/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory by type, natively: what kma/bsd_malloc.h is written with. A type
 * counts what is allocated with it, and may limit it, so that one user of
 * memory that runs away does not take it from all others.
 */
#ifndef KMA_TYPES_H
#define KMA_TYPES_H

#include <kma/kma.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct kma_type;

/*
 * A type; the name is copied and cut at 31 characters. limit: bytes, 0 for
 * none. NULL with errno ENOMEM: no memory, or more than 65534 types.
 */
struct kma_type *kma_type_create(const char *name, const char *description,
				 size_t limit);

/* What lives is reported (LEAK), and told only; the type then stays. */
void kma_type_destroy(struct kma_type *type);

/*
 * As kma_alloc(); charged to the type at the size of the buffer that serves
 * it. At the limit NOSLEEP fails and SLEEP waits for a free of that type; a
 * request beyond the limit is reported (IMPOSSIBLE). NULL for type: reported
 * (BADTYPE).
 */
void *kma_type_alloc(struct kma_type *type, size_t size, unsigned flags);

/* At a multiple of align, a power of two; 0: as kma_type_alloc(). The limit may
 * be passed by what the alignment takes beyond size. */
void *kma_type_alloc_aligned(struct kma_type *type, size_t size, size_t align,
			     unsigned flags);

/* Of another type: reported (BADTYPE), and not freed. p NULL: NULLFREE. */
void kma_type_free(struct kma_type *type, void *p, unsigned flags);

/* As realloc(3). */
void *kma_type_realloc(struct kma_type *type, void *p, size_t size,
		       unsigned flags);

void kma_type_set_limit(struct kma_type *type, size_t limit);

/* From now on the pages of the type's small buffers stay with their size when
 * all of them are free, and do not go back to the heap; or they do again. */
void kma_type_set_hoard(struct kma_type *type, int hoards);

/* What p may hold; 0 for what is no live buffer. */
size_t kma_type_usable_size(const void *p);

/* "inuse" (buffers), "memuse", "maxused", "limit" (bytes), "calls",
 * "limblocks", "fails". */
uint64_t kma_type_stat(const struct kma_type *type, const char *name);
const char *kma_type_name(const struct kma_type *type);

/* 386BSD's types by number, 0 to 49, made when first used; NULL for another
 * number. */
struct kma_type *kma_type_numbered(int number);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
