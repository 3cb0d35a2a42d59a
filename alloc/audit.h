/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the audit tier does to a buffer on its way out and on its way back:
 * canary, redzone and fills, the bufctl with thread, time and stack of the
 * last allocation and of the last free, and the transaction log.
 */
#ifndef ALLOC_AUDIT_H
#define ALLOC_AUDIT_H

#include "alloc/cache.h"
#include "alloc/report.h"

#include <stdint.h>

struct kma_damage;

/* The depot and the log, before the first audited buffer. */
bool kma_audit_init(void);

/*
 * Dress a buffer just taken for a request of size bytes: verify the free fill
 * (MODIFIED), record, fill with 0xbaddcafe or zeros, set redzone and canary.
 * Returns the user's pointer, a multiple of align.
 */
void *kma_audit_alloc(const struct kma_buffer *buffer, size_t size,
		      size_t align, enum kma_family family, bool zero);

/*
 * Check and undress a buffer the program gives back. user is what it passed;
 * size is what it claims, or SIZE_MAX. True: the caller puts the buffer back.
 * False: it was reported (and noabort): the buffer stays where it is.
 */
bool kma_audit_free(const struct kma_buffer *buffer, uintptr_t user,
		    size_t size, enum kma_family family, const char *function);

/*
 * Have the processor fetch what checking and filling the buffer will touch:
 * lines that nobody has used since it was last dressed, each a wait for memory
 * of its own if they are met one after the other.
 */
void kma_audit_foresee(const struct kma_buffer *buffer);

/*
 * Grow or shrink in place: new request, redzone, record. False: a large one for
 * which there are no pages behind it, and nothing was changed. Any other has
 * the room, and so has a large one where the call is nested.
 */
bool kma_audit_resize(const struct kma_buffer *buffer, size_t size);

/* Bytes the user's pointer may grow to where it lies, in the pages it has. */
size_t kma_audit_room(const struct kma_buffer *buffer);

/*
 * What is wrong with the bytes around and in a buffer that is in the state its
 * word tells: NONE, REDZONE or UNDERFLOW, and MODIFIED for a free one.
 */
enum kma_error_code kma_audit_check(const struct kma_buffer *buffer,
				    uint64_t word, struct kma_damage *ret);

/* The slab's pages are about to go: the last look at its free buffers. */
void kma_audit_evict(struct kma_slab *slab);

/*
 * Report every damaged buffer, live or free, that has not been reported yet.
 * Never aborts. Returns how many it found.
 */
size_t kma_audit_verify_all(void);

/* How many threads are doing that: what they found by the page map is not used
 * for anything else meanwhile, and no page is made untouchable. */
extern uint32_t kma_audit_verifying;

/* To be asked by whoever has just taken a slab or a buffer out of sight: who
 * begins to look when nobody did here does not find it. */
static inline bool kma_audit_is_verifying(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&kma_audit_verifying, __ATOMIC_RELAXED) != 0;
}

#endif
