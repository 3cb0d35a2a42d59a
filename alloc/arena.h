/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The allocator's own memory as arenas, for ::vmem and kma_stats():
 *
 *	reserve                 all addresses; in use: what is committed
 *	|- page_map
 *	|- kmem_metadata        in use: what meta.c has handed out
 *	|- kmem_stacks
 *	|- kmem_log
 *	\- heap                 in use: runs of pages handed out
 *	   |- kmem_default      slabs
 *	   |- kmem_oversize     large buffers
 *	   \- kmem_va           whoever wants pages; quantum caches kmem_va_N
 *
 * All but kmem_va are accounts: others keep their segments (range.c, meta.c,
 * pages.c: the page map is the heap's boundary tags), and tell here what they
 * gave and took back. What a child imports is in use in its parent.
 */
#ifndef ALLOC_ARENA_H
#define ALLOC_ARENA_H

#include <stdbool.h>
#include <stddef.h>

enum kma_account {
	KMA_ACCOUNT_RESERVE,
	KMA_ACCOUNT_PAGE_MAP,
	KMA_ACCOUNT_METADATA,
	KMA_ACCOUNT_STACKS,
	KMA_ACCOUNT_LOG,
	KMA_ACCOUNT_HEAP,
	KMA_ACCOUNT_DEFAULT,
	KMA_ACCOUNT_OVERSIZE,
	KMA_ACCOUNT_COUNT
};

struct kma_vmem;

/* After the reserve. False: no memory. */
bool kma_arena_init(void);

/* Bytes handed out, and taken back. What leaves them imports just as much. */
void kma_arena_took(enum kma_account account, size_t bytes);
void kma_arena_gave(enum kma_account account, size_t bytes);
void kma_arena_failed(enum kma_account account);

/* Its numbers, for whoever tells them. */
const struct kma_vmem *kma_arena_account(enum kma_account account);

/* A part of the reserve has grown. */
void kma_arena_grew(enum kma_account account, size_t bytes);

#endif
