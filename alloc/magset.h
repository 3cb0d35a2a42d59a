/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread's magazines of one cache and tier, and the two operations on them
 * that everything else is there to avoid the cost of.
 *
 *	loaded:	| none | round 0 | round 1 | round 2 |  ...  |
 *		  NULL     p         q     ^ top              ^ limit: the last
 *	hot:	r, whose place is *top
 *
 * The round on top is kept in the set, not in its place: what is freed is
 * handed out again by one store and one load of the same word, and where the
 * next one lies is worked out beside that, not before it. As a NULL lies below
 * the rounds, hot is NULL when loaded has none, and pop has nothing else to
 * check. What *top holds means nothing; loaded->rounds is not kept up while it
 * is loaded.
 *
 * Of two stores the one that a debugger must not miss comes first: a set seen
 * between them has one round twice, and none is lost.
 */
#ifndef ALLOC_MAGSET_H
#define ALLOC_MAGSET_H

#include "alloc/arch.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kma_magazine {
	struct kma_magazine *next; /* in the depot */
	uint32_t rounds;           /* where it is not loaded */
	uint32_t capacity;
	void *none;    /* NULL */
	void *round[]; /* buffer starts */
};

struct kma_magset {
	void *hot;
	void **top, **limit; /* equal: no room; NULL: nothing is loaded */
	struct kma_magazine *loaded, *previous; /* NULL until first used */
	uint64_t alloc, free;
	uint64_t sample_at; /* of alloc: that one is a sample; sample.h */
};
static_assert(sizeof(struct kma_magset) == 64,
	      "a set is a line of the processor's cache");

/* The thread alone writes its counters; others read them at any time. */
static inline void kma_magset_count(uint64_t *counter)
{
	kma_arch_count(counter);
}

static inline bool kma_magset_has_room(const struct kma_magset *set)
{
	return set->top != set->limit;
}

/* Where there is room. */
static inline void kma_magset_put(struct kma_magset *set, void *p)
{
	void **top = set->top;

	*top = set->hot;
	set->top = top + 1;
	__atomic_signal_fence(__ATOMIC_RELEASE);
	set->hot = p;
	kma_magset_count(&set->free);
}

static inline bool kma_magset_push(struct kma_magset *set, void *p)
{
	if (__builtin_expect(!kma_magset_has_room(set), 0))
		return false;
	kma_magset_put(set, p);
	return true;
}

/* Is the next one a sample? The first always seems so. */
static inline bool kma_magset_is_sample(const struct kma_magset *set)
{
	return set->alloc == set->sample_at;
}

/* The hot one, which there is, has been taken. */
static inline void kma_magset_drop(struct kma_magset *set)
{
	void **top = set->top - 1;

	set->hot = *top;
	__atomic_signal_fence(__ATOMIC_RELEASE);
	set->top = top;
	kma_magset_count(&set->alloc);
}

/* NULL: loaded has no round. */
static inline void *kma_magset_pop(struct kma_magset *set)
{
	void *p = set->hot;

	if (__builtin_expect(p == NULL, 0))
		return NULL;
	kma_magset_drop(set);
	return p;
}

#endif
