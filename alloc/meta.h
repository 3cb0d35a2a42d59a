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
#include <stdint.h>

/* What metadata is for; each kind is shown as a cache of its own. */
enum kma_meta_kind {
	KMA_META_OTHER,
	KMA_META_CACHE,    /* kma_cache */
	KMA_META_SLAB,     /* slab headers with their bitmaps */
	KMA_META_BUFCTL,   /* tiers audit and guard: of each buffer */
	KMA_META_WORD,     /* tier lite: of each buffer */
	KMA_META_RUN,      /* of free pages */
	KMA_META_THREAD,   /* records and magazine sets */
	KMA_META_VMEM,     /* arenas and their quantum caches */
	KMA_META_SEG,      /* boundary tags */
	KMA_META_HASH,     /* of arenas */
	KMA_META_MAGAZINE, /* one for each capacity, from here on */
	KMA_META_COUNT = KMA_META_MAGAZINE + 16
};

/* As Solaris's caches of the same names: kmem_slab_cache, kmem_magazine_N. */
struct kma_meta_cache {
	char name[32];
	uint64_t unit;                    /* bytes of one; 0: they differ */
	uint64_t in_use;                  /* units */
	uint64_t memory;                  /* bytes handed out for them */
	uint64_t alloc, free, alloc_fail; /* units */
};

/* For fork.c. */
extern struct kma_lock kma_meta_lock;

/*
 * Zeroed, 64-byte aligned; NULL when memory is exhausted. Takes the meta lock,
 * nothing else. Sizes are rounded to 64 and kept on free lists by size.
 */
void *kma_meta_alloc(size_t size);

/* size as given to kma_meta_alloc. */
void kma_meta_free(void *p, size_t size);

/* The same for count units of a kind, in size bytes. */
void *kma_meta_take(enum kma_meta_kind kind, size_t count, size_t size);
void kma_meta_give(enum kma_meta_kind kind, void *p, size_t count, size_t size);

/* The kind of magazines with so many rounds; made if need be, or OTHER. */
enum kma_meta_kind kma_meta_magazine(uint32_t rounds);

/* Name the kinds, for the debugger. */
void kma_meta_init(void);

#endif
