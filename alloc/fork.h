/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fork. In a child only the calling thread lives on, so no lock may be held by
 * another at that moment: the handlers take them all. Where no handler runs
 * (_Fork, a raw clone) a page that the kernel wipes in the child tells; the
 * locks are then reset as they are.
 */
#ifndef ALLOC_FORK_H
#define ALLOC_FORK_H

#include <stdbool.h>
#include <stdint.h>

/* Register the handlers, make the page. After the allocator can allocate. */
void kma_fork_init(void);

/* 1 as long as this is the process that set it, or it cannot be told. */
extern const uint32_t *kma_fork_mark __attribute__((visibility("hidden")));

/* The slow half of kma_fork_check(); the thread has entered (thread.h). */
void kma_fork_child(void);

/* On every way into the allocator but the fastest. */
static inline void kma_fork_check(void)
{
	if (__builtin_expect(*kma_fork_mark == 0, 0))
		kma_fork_child();
}

#endif
