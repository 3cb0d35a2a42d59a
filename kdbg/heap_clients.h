/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What kernels' interfaces keep: pools and object caches, typed malloc, who
 * sleeps for memory.
 */
#ifndef KDBG_HEAP_CLIENTS_H
#define KDBG_HEAP_CLIENTS_H

#include "kdbg/heap.h"

/* What a cache has that a client made: a pool, a pool_cache, a kmem_cache. */
struct heap_client {
	uint64_t address;
	uint64_t size;  /* of an object, as it was asked for */
	bool is_pool;   /* without magazines */
	uint64_t flags; /* enum kma_cache_params_flags */
	uint64_t align_offset;
	uint64_t out, limit; /* objects out of the slabs; UINT64_MAX: none */
	uint64_t magazine_size;
	uint64_t low; /* objects kept in the slabs */
	uint64_t slab_min, slab_high, slab_peak;
	uint64_t waits, limit_fails, construct_fails, reaps;
	uint64_t construct, destruct, argument;
	uint64_t import;    /* where its slabs come from; 0: the heap */
	uint64_t slab_size; /* of those that it imports */
};

/* False: the cache is one of kmem_alloc's, or nobody's. */
bool heap_client_of(struct heap *heap, const struct heap_cache *cache,
		    struct heap_client *ret);

struct heap_type {
	uint64_t address;
	size_t instance;
	const char *name;
	uint32_t number;
	uint64_t inuse, memuse, maxused, limit; /* limit UINT64_MAX: none */
	uint64_t calls, fails, limblocks;
	uint64_t sizes; /* bit n: buffers of 2^n bytes at most */
};
size_t heap_types(struct heap *heap, const struct heap_type **ret);

/* The type a buffer was allocated with; NULL: with none. */
const struct heap_type *heap_type_of(struct heap *heap,
				     const struct heap_buffer *buffer);

struct heap_waiter {
	uint64_t address;
	size_t instance;
	uint32_t thread;  /* tid */
	const char *kind; /* "heap", "cache", "type", "arena" */
	const char *name; /* of what is short */
	uint64_t size;    /* bytes */
	uint64_t since_ns;
	uint32_t stack; /* depot id */
};
size_t heap_waiters(struct heap *heap, const struct heap_waiter **ret);

struct heap_percpu {
	uint64_t address;
	size_t instance;
	uint64_t size;   /* of a part */
	uint64_t stride; /* from one to the next */
	uint64_t count;  /* processors */
	uint64_t first;  /* address of the first part's bytes */
};
size_t heap_percpus(struct heap *heap, const struct heap_percpu **ret);

/* Numbers of an instance that one command alone wants. */
enum heap_root_field {
	HEAP_ROOT_GUARD_DEPTH,
	HEAP_ROOT_GUARDS_MISSING,
	HEAP_ROOT_HEAP_LIMIT,
};
uint64_t heap_root_uint(const struct heap *heap, size_t instance,
			enum heap_root_field field);

#endif
