/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libkma's native interface. Every function is thread-safe; what is safe in a
 * signal handler says so.
 */
#ifndef KMA_KMA_H
#define KMA_KMA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Write a dump of this process to path (created 0600, replaced when complete).
 * path NULL: the template of KMA_DUMP. Returns 0, or -1 with errno. Safe in a
 * signal handler. The other threads are stopped only while their registers are
 * read.
 */
int kma_dump(const char *path);

/*
 * From now on new buffers of the named cache ("kmem_alloc_256"), or of all
 * where cache is NULL, are of the tier: "off", "lite", "audit", "guard".
 * Buffers that exist keep theirs. Returns 0, or -1 with errno EINVAL (no such
 * tier), ENOENT (no such cache) or ENOMEM. KMA_OPTIONS=tier:CACHE=TIER does the
 * same at start.
 */
int kma_set_tier(const char *cache, const char *tier);

/*
 * What the allocator holds. Fields are added at the end and never change their
 * meaning; version rises when they do. Bytes, where nothing else is said.
 */
struct kma_stats {
	uint32_t size;    /* bytes that this library knows of the structure */
	uint32_t version; /* 1 */

	uint64_t reserved;       /* addresses */
	uint64_t committed;      /* of them usable: heap and all below */
	uint64_t heap_committed; /* for slabs, large buffers and arenas */
	uint64_t heap_in_use;    /* of that, handed out */
	uint64_t heap_limit;     /* KMA_OPTIONS=limit; UINT64_MAX: none */
	uint64_t slabs;          /* in use by slabs of caches */
	uint64_t large;          /* in use by buffers above 128 KiB */
	uint64_t metadata_committed;
	uint64_t metadata_in_use;
	uint64_t stacks; /* kept stacks of allocations and frees */
	uint64_t logs;

	uint64_t buffers;                      /* number, in all slabs */
	uint64_t buffers_in_use;               /* of them with the program */
	uint64_t allocations, frees, failures; /* since the start */
};

/*
 * Fill in *ret, of which the caller knows size bytes: sizeof(*ret). What the
 * library does not know reads as 0. Counts of threads at work are a moment old.
 * Returns 0, or -1 with errno EINVAL (size too small) or EAGAIN (in a signal
 * handler that interrupted the allocator). Takes locks: not for signal
 * handlers otherwise.
 */
int kma_stats(struct kma_stats *ret, size_t size);

/*
 * p, and what only it leads to, is lost on purpose: kdbg does not call it
 * leaked. Until p is freed or moved by realloc(). Returns 0, or -1 with errno
 * EINVAL (no live buffer) or ENOTSUP (it is of tier off, which keeps nothing of
 * a buffer). Safe in a signal handler.
 */
int kma_ignore(const void *p);

/*
 * [start, start + size) holds pointers although kdbg would not look there by
 * itself: writable memory outside the heap it reads anyway, a buffer that
 * nothing leads to it does not. Remove takes what add was given. Returns 0, or
 * -1 with errno EINVAL, ENOENT (nothing such to remove), ENOMEM, or EAGAIN (in
 * a signal handler that interrupted the allocator).
 */
int kma_root_add(const void *start, size_t size);
int kma_root_remove(const void *start, size_t size);

/*
 * Give this moment a name, of which 47 bytes are kept: ::findleaks --since NAME
 * then judges what was allocated later. Of a name given again the last counts.
 * A call costs 64 bytes that stay. Returns 0, or -1 with errno EINVAL, ENOMEM
 * or EAGAIN, as above.
 */
int kma_checkpoint(const char *name);

#ifdef __cplusplus
}
#endif

#endif
