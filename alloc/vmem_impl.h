/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of vmem share and nobody else needs. */
#ifndef ALLOC_VMEM_IMPL_H
#define ALLOC_VMEM_IMPL_H

#include "alloc/vmem.h"

struct kma_thread;

/* Take a lock as one who is inside the allocator, so that this thread's signal
 * handlers wait for none. */
struct kma_thread *kma_vmem_enter(struct kma_lock *lock);
void kma_vmem_leave(struct kma_lock *lock, struct kma_thread *self);

/* Guards the spare tags of all arenas. */
extern struct kma_lock kma_vmem_tags_lock;

/* May it be used in a handler? */
static inline bool kma_vmem_is_safe(const struct kma_vmem *vmem)
{
	return vmem->flags & KMA_VMC_INTR_SAFE;
}

/* The free list of a length: floor of its binary logarithm. */
static inline unsigned kma_vmem_list_of(size_t length)
{
	return 63 - (unsigned)__builtin_clzl(length);
}

#endif
