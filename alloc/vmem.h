/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas from the inside: boundary tags.
 *
 *	head <-> SPAN <-> ALLOC <-> FREE <-> ALLOC <-> SPAN <-> FREE <-> head
 *
 * Each segment has a tag, and the tags of an arena form one list: a span's tag,
 * then its segments by address, then the next span. Two free tags never stand
 * side by side. What is allocated also hangs in a hash by its address, what is
 * free in a list by the power of two of its length, and a bit tells which of
 * those lists hold any: so a fit that is sure takes no search.
 *
 * Tags come from the metadata part, never from a cache: an arena can stand
 * under the caches. Freeing needs no tag, so it cannot fail.
 *
 * Locks: an arena's lock is held for the tags alone, never while a function of
 * the user runs; under it come the lock of the spare tags and the metadata's.
 * A quantum cache's lock comes before its arena's.
 */
#ifndef ALLOC_VMEM_H
#define ALLOC_VMEM_H

#include "alloc/lock.h"

#include "kma/vmem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kma_vmem_seg_type {
	KMA_VMEM_SEG_HEAD = 0, /* of an arena's list */
	KMA_VMEM_SEG_ALLOC = 1,
	KMA_VMEM_SEG_FREE = 2,
	KMA_VMEM_SEG_SPAN = 3,
};

/* Who gave an allocated segment, and so who takes it back. */
enum kma_vmem_giver {
	KMA_VMEM_BY_XALLOC = 0,
	KMA_VMEM_BY_ALLOC = 1,  /* a size of a quantum cache, without it */
	KMA_VMEM_BY_QCACHE = 2, /* a slab of one; its pieces have the users */
};

struct kma_vmem_seg {
	uintptr_t start;
	size_t length;                    /* a multiple of the quantum */
	size_t size;                      /* allocated: as it was asked for */
	struct kma_vmem_seg *next, *prev; /* all, in order */
	struct kma_vmem_seg *list_next, *list_prev; /* hash, free, or spans */
	struct kma_vmem_slab *slab;                 /* by a quantum cache */
	uint64_t time;   /* ticks of the allocation; 0 not kept */
	uint32_t stack;  /* depot id */
	uint32_t thread; /* tid */
	uint8_t type;    /* enum kma_vmem_seg_type */
	uint8_t giver;   /* enum kma_vmem_giver */
	uint8_t imported;
};

/* A piece of a quantum cache's slab; size 0: free. */
struct kma_vmem_piece {
	size_t size;
	uint64_t time;
	uint32_t stack;
	uint32_t thread;
};

struct kma_vmem_slab {
	struct kma_vmem_slab *next, *prev; /* of its cache: those with room */
	struct kma_vmem_qcache *cache;
	uintptr_t base;
	uint32_t pieces, in_use;
	struct kma_vmem_piece piece[];
};

struct kma_vmem_qcache {
	char name[KMA_VMEM_NAME_SIZE];
	struct kma_vmem *vmem;
	struct kma_lock lock;
	uint32_t slabs;              /* that it has */
	size_t size;                 /* of a piece */
	size_t slab_size;            /* a power of two */
	struct kma_vmem_slab *room;  /* slabs with a free piece */
	struct kma_vmem_slab *spare; /* records of slabs that went back */
	uint64_t alloc, free, alloc_fail;
	uint64_t in_use, total; /* pieces */
};

/* Of kma_vmem.flags: the numbers alone are here (arena.h). */
enum { KMA_VMEM_ACCOUNT = 1 };

enum {
	KMA_VMEM_LISTS = 64,
	KMA_VMEM_HASH_MIN = 16,
	KMA_VMEM_QCACHES_MAX = 16,
};

struct kma_vmem {
	struct kma_vmem *next;  /* all arenas, oldest first */
	struct kma_vmem **link; /* what points here */
	char name[KMA_VMEM_NAME_SIZE];
	uint32_t flags; /* enum kma_vmc_flags */
	uint32_t qcache_count;
	struct kma_vmem_source source; /* import NULL: none */
	struct kma_vmem *parent;       /* what it draws on; for the debugger */
	void (*reclaim)(struct kma_vmem *vmem, unsigned flags);
	void (*foreign_reclaim)(void);
	size_t quantum, qcache_max;
	size_t limit; /* bytes in use at most */
	struct kma_lock lock;
	uint32_t spans;
	/* Guarded by lock. */
	uint64_t in_use, total, imported; /* bytes */
	uint64_t alloc, free, alloc_fail, waits;
	uint64_t segments;             /* tags but for the head */
	struct kma_vmem_seg head;      /* list_next: the spans */
	struct kma_vmem_seg *next_fit; /* where next fit goes on, ... */
	uintptr_t next_fit_at;         /* ... there, from this address */
	uint64_t occupied;             /* bit n: free_lists[n] has any */
	struct kma_vmem_seg *free_lists[KMA_VMEM_LISTS];
	struct kma_vmem_seg **hash; /* hash_size chains, a power of two */
	size_t hash_size, hash_count;
	struct kma_vmem_seg *hash_first[KMA_VMEM_HASH_MIN];
	struct kma_vmem_qcache *qcaches[KMA_VMEM_QCACHES_MAX]; /* by quanta */
};

/* What is wanted of a fit; all but size and max are multiples of the quantum.
 */
struct kma_vmem_want {
	size_t size; /* rounded to the quantum */
	size_t align, phase, nocross;
	uintptr_t min, max; /* inclusive */
};

/* All of this header's functions below are called with the arena's lock. */

/* The lowest address in [start, start + length) that satisfies want. */
bool kma_vmem_fits(uintptr_t start, size_t length,
		   const struct kma_vmem_want *want, uintptr_t *ret);

/* A free segment for want by the policy of flags, and the address in it. */
struct kma_vmem_seg *kma_vmem_find(struct kma_vmem *vmem,
				   const struct kma_vmem_want *want,
				   unsigned flags, uintptr_t *ret);

/* Could an empty arena grant it, from the spans it has? */
bool kma_vmem_could_grant(const struct kma_vmem *vmem,
			  const struct kma_vmem_want *want);

/* Make [at, at + length) of a free segment an allocated one; NULL: no tag. */
struct kma_vmem_seg *kma_vmem_cut(struct kma_vmem *vmem,
				  struct kma_vmem_seg *seg, uintptr_t at,
				  size_t length);

/* The allocated segment that starts there, or NULL. */
struct kma_vmem_seg *kma_vmem_lookup(const struct kma_vmem *vmem,
				     uintptr_t address);

/*
 * Free an allocated segment. True: an imported span is now whole, has been
 * taken out of the arena, and is to be released.
 */
bool kma_vmem_merge(struct kma_vmem *vmem, struct kma_vmem_seg *seg,
		    uintptr_t *address, size_t *size);

/* A span of one free segment, which is returned; NULL: no tag. */
struct kma_vmem_seg *kma_vmem_span_add(struct kma_vmem *vmem, uintptr_t address,
				       size_t size, bool imported);

/* Give all tags back. The arena has no allocated segment. */
void kma_vmem_tags_discard(struct kma_vmem *vmem);

/* --- quantum caches (vmem_qcache.c); these take their own locks --- */

/* What an allocation leaves behind for the debugger. */
struct kma_vmem_origin {
	uint64_t time;
	uint32_t stack, thread;
};

/* False, nothing changed: no memory. */
bool kma_vmem_qcaches_create(struct kma_vmem *vmem);
void kma_vmem_qcaches_destroy(struct kma_vmem *vmem);

struct kma_vmem_qcache *kma_vmem_qcache_for(const struct kma_vmem *vmem,
					    size_t size);

/* A piece, or false: no slab can be had. */
bool kma_vmem_qcache_take(struct kma_vmem_qcache *cache, size_t size,
			  const struct kma_vmem_origin *origin, uintptr_t *ret);

/*
 * What came of a free. *found is the size it was allocated with where that is
 * known, else 0.
 */
enum kma_vmem_freed {
	KMA_VMEM_FREED,
	KMA_VMEM_NOT_THERE, /* no allocated segment or piece there */
	KMA_VMEM_BAD_SIZE,
	KMA_VMEM_NOT_OURS, /* allocated there, by the other pair of calls */
};
enum kma_vmem_freed kma_vmem_qcache_put(struct kma_vmem *vmem,
					uintptr_t address, size_t size,
					size_t *found);

/* --- vmem.c, for the quantum caches --- */

/* From the tags, past the caches, without waiting. */
int kma_vmem_take(struct kma_vmem *vmem, const struct kma_vmem_want *want,
		  size_t size, unsigned flags, enum kma_vmem_giver giver,
		  const struct kma_vmem_origin *origin,
		  struct kma_vmem_seg **ret);
enum kma_vmem_freed kma_vmem_put(struct kma_vmem *vmem, uintptr_t address,
				 size_t size, enum kma_vmem_giver giver,
				 size_t *found);

/* What handlers freed that interrupted the library (vmem_free.c): how many
 * wait, and free them. The caller is no such handler. */
extern uint32_t kma_vmem_deferred_count;
void kma_vmem_free_deferred(void);

/* As kma_vmem_xcreate() without a static span, while the allocator starts. */
struct kma_vmem *kma_vmem_make(const char *name, size_t quantum,
			       const struct kma_vmem_source *source,
			       size_t qcache_max, unsigned flags);

/* For fork.c: apply to each lock of each arena, in their order. The list's lock
 * is held. */
extern struct kma_lock kma_vmem_list_lock;
void kma_vmem_each_lock(void (*apply)(struct kma_lock *lock));

#endif
