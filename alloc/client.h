/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Caches of clients: what kma_cache_create() makes. A struct kma_cache like
 * those of kmem_alloc, with this beside it.
 *
 *	program <--> magazines <--> depot <--> slabs
 *	    constructed                |  not constructed
 *
 * What lies in a magazine is constructed: magazines are filled by frees alone.
 * At tiers audit and guard a free buffer is filled, so there constructor and
 * destructor run each time. Callbacks run while their thread has left the
 * allocator and holds no lock of it: they may call it.
 */
#ifndef ALLOC_CLIENT_H
#define ALLOC_CLIENT_H

#include "alloc/cache.h"

#include "kma/kma.h"

struct kma_magazine;

enum kma_client_state {
	KMA_CLIENT_LIVE = 1,
	KMA_CLIENT_DESTROYED = 2, /* callbacks gone; objects may live on */
};

struct kma_client {
	struct kma_cache *cache;
	uint32_t state;       /* enum kma_client_state */
	uint32_t flags;       /* enum kma_cache_params_flags */
	uint32_t personality; /* of KMA_PERSONALITY */
	uint32_t tier_max;    /* enum kma_tier */
	bool is_bare;         /* kma_slab.bare, of slabs of tier audit */
	size_t size;          /* of an object, as it was asked for */
	int (*construct)(void *object, void *arg, int flags);
	void (*destruct)(void *object, void *arg);
	void (*reclaim)(void *arg);
	enum kma_move (*move)(void *object, void *target, size_t size,
			      void *arg);
	void *arg;
	void *(*import)(void *source, size_t size, unsigned flags);
	void (*release)(void *source, void *memory, size_t size);
	void *source;
	size_t slab_size;
	struct kma_foreign_table *numbers; /* foreign.h; NULL: none yet */
	void *owner;
	void (*drain)(void *arg, int flags);
	void *drain_arg;
	/* Guarded by the cache's lock. */
	uint64_t low;       /* objects to keep in the slabs */
	uint64_t slab_min;  /* primed: never given back */
	uint64_t slab_high; /* empty ones go beyond; UINT64_MAX: they stay */
	uint64_t slab_peak;
	/* At the limit. */
	char warning[80];
	uint64_t warning_gap, warned; /* nanoseconds */
	/* Statistics, changed atomically. */
	uint64_t waits, limit_fails, construct_fails, low_fails, reaps;
	uint64_t depot_alloc, depot_free; /* magazines exchanged */
	uint64_t moves[KMA_MOVE_DONT_KNOW + 1];
	uint64_t moved_slabs;
};

/* --- for the slabs, with the cache's lock held ---------------------------- */

static inline bool kma_client_is_foreign(const struct kma_cache *cache)
{
	return cache->client && cache->client->import;
}

/* Does an empty slab stay? */
bool kma_client_keeps(const struct kma_cache *cache);

/* Nanoseconds of a coarse monotonic clock. */
uint64_t kma_client_time(void);

/* --- for the others --------------------------------------------------------
 */

/* Must a buffer be destructed before a slab may have it? */
static inline bool kma_client_destructs(const struct kma_cache *cache)
{
	return cache->client && cache->client->destruct;
}

/* Are free buffers of the tier filled, so that none lies constructed? */
static inline bool kma_client_is_filled(enum kma_tier tier)
{
	return tier == KMA_TIER_AUDIT || tier == KMA_TIER_GUARD;
}

/* Callbacks, in the order and with the flags of the cache's personality. */
int kma_client_construct(const struct kma_client *client, void *object,
			 unsigned flags);
void kma_client_destruct(const struct kma_client *client, void *object);
int kma_client_flags(const struct kma_client *client, unsigned flags);

/* A cache that is one and that lives; else reported in function's name. */
bool kma_client_check(const struct kma_cache *cache, const char *function);

/* "pool_get", "kmem_cache_alloc", ...: what the program called. */
const char *kma_client_function(const struct kma_client *client, bool get);

/*
 * Destruct what lies in the depot and give it to the slabs; steal says whether
 * the magazines of all threads come first. The caller has not entered.
 */
void kma_client_drain(struct kma_cache *cache, bool steal);

/* Have the client's hook free what it can, where there is one. */
void kma_client_run_drain_hook(const struct kma_cache *cache, unsigned flags);

/* Destruct what a magazine holds, give it to the slabs, free the magazine. */
void kma_client_empty(struct kma_cache *cache, struct kma_magazine *magazine);

/* Release slabs that have been empty for idle nanoseconds; how many. */
size_t kma_client_release(struct kma_cache *cache, uint64_t idle);

/* A buffer taken from a slab becomes an object of the program's; NULL: its
 * constructor failed, and it is back. */
void *kma_client_adopt(struct kma_cache *cache, void *start);

/* Destruct, or not, and give to the slabs. Misuse is reported. */
void kma_client_free_now(struct kma_cache *cache, void *object);
void kma_client_put_back(struct kma_cache *cache, void *object);

/* A buffer that is free and not constructed, to its slab. The caller has
 * entered. */
void kma_client_give_back(const struct kma_buffer *buffer);

/* New pages from the client's import, which runs without locks. */
bool kma_client_import(struct kma_cache *cache, unsigned flags);

/* Keep the low water mark; without sleeping. */
void kma_client_keep_low(struct kma_cache *cache);

/* Whether the fast path may serve the cache, after what that hangs on has
 * changed: its tier, its move callback, its end. */
void kma_client_set_fast(struct kma_cache *cache);

/* Caller holds the cache's lock. */
void kma_client_note_peak(struct kma_cache *cache);

#endif
