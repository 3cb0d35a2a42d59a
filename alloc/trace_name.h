/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of stacks that were seen before, found on the way.
 *
 * A stack is a node: that of its outer part, and one frame more. Nodes have
 * numbers, given once and never again, so that a number stands for exactly one
 * stack. A table by the stack's hash, which comes with the frames, tells the
 * number of outer part and frame; what does not fit there is forgotten and gets
 * another number when it comes again. The innermost frame's entry has the id
 * that the depot gave the stack: no look at the depot then.
 */
#ifndef ALLOC_TRACE_NAME_H
#define ALLOC_TRACE_NAME_H

#include <stddef.h>
#include <stdint.h>

enum { KMA_NAMES_BITS = 10, KMA_NAMES_WAYS = 2 };

struct kma_name {
	uint64_t outer; /* node; 0: none, this frame is outermost */
	uint64_t key;
	uint64_t node;
	uint32_t id; /* in the depot; 0 not known */
};

struct kma_names {
	uint64_t last; /* number given */
	/* The latest is first in its set, which is a line of the processor's
	 * cache. */
	struct kma_name name[1 << KMA_NAMES_BITS][KMA_NAMES_WAYS]
		__attribute__((aligned(64)));
};

static inline struct kma_name *kma_name_set(struct kma_names *names,
					    uint64_t hash)
{
	return names->name[hash >> (64 - KMA_NAMES_BITS)];
}

/* The node of the stack of that hash: the outer node's and a frame. */
static inline uint64_t kma_name_node(struct kma_names *names, uint64_t hash,
				     uint64_t outer, uint64_t key)
{
	struct kma_name *set = kma_name_set(names, hash);

	for (int i = 0; i < KMA_NAMES_WAYS; i++)
		if (set[i].outer == outer && set[i].key == key)
			return set[i].node;
	set[1] = set[0];
	set[0] = (struct kma_name){ outer, key, ++names->last, 0 };
	return set[0].node;
}

static inline struct kma_name *kma_name_find(struct kma_names *names,
					     uint64_t hash, uint64_t node)
{
	struct kma_name *set = kma_name_set(names, hash);

	return set[0].node == node ? &set[0] : &set[1];
}

/* The id of the stack of that hash and node; 0: it is not known. */
static inline uint32_t kma_name_recall(struct kma_names *names, uint64_t hash,
				       uint64_t node)
{
	const struct kma_name *name = kma_name_find(names, hash, node);

	return name->node == node ? name->id : 0;
}

static inline void kma_name_put(struct kma_names *names, uint64_t hash,
				uint64_t node, uint32_t id)
{
	struct kma_name *name = kma_name_find(names, hash, node);

	if (name->node == node)
		name->id = id;
}

#endif
