/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way out of this library, from where a stack is captured to frame 0, and
 * one step of a walk.
 */
#ifndef ALLOC_TRACE_PATH_H
#define ALLOC_TRACE_PATH_H

#include "alloc/root.h"
#include "alloc/unwind_rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KMA_PATHS = 4, KMA_PATH_FRAMES = 12 };

/*
 * A way, in distances from the sp it starts at. There are few, one for each
 * kind of call, and all are of rules by sp: where the same return addresses lie
 * in the same slots, the frames are the same.
 */
struct kma_path {
	size_t frames; /* 0: not known yet */
	uintptr_t slot[KMA_PATH_FRAMES], key[KMA_PATH_FRAMES];
	uintptr_t fp_slot;  /* where frame 0's fp was saved; 0: nowhere */
	uintptr_t end_slot; /* of frame 0's return address */
};

struct kma_paths {
	struct kma_path path[KMA_PATHS];
	unsigned next; /* to be forgotten */
};

/* A frame being looked at. */
struct kma_place {
	uintptr_t key, sp, fp;
};

/*
 * To the caller, by a plain rule. False: the rule is none, or leads astray, and
 * place is what it was. Whether a frame saved fp is as good as random, so
 * nothing branches on it.
 */
static inline bool kma_place_step(struct kma_place *place, uint64_t rule,
				  const struct kma_bounds *bounds)
{
	enum kma_rule_kind kind = kma_rule_kind(rule);
	uintptr_t cfa = (kind == KMA_RULE_FP ? place->fp : place->sp) +
			kma_rule_cfa(rule);
	uintptr_t depth = kma_rule_fp_depth(rule);
	uintptr_t pc_slot = cfa - sizeof(uintptr_t);

	if (__builtin_expect((kind != KMA_RULE_SP && kind != KMA_RULE_FP) ||
				     cfa <= place->sp || cfa > bounds->top ||
				     cfa - bounds->low < depth,
			     0))
		return false;

	uintptr_t key = *(const uintptr_t *)pc_slot;
	uintptr_t saved = *(const uintptr_t *)(depth ? cfa - depth : pc_slot);

	if (__builtin_expect(key == 0, 0))
		return false;
	place->fp = depth ? saved : place->fp;
	place->key = key;
	place->sp = cfa;
	return true;
}

static inline uintptr_t kma_path_load(uintptr_t address)
{
	return *(const uintptr_t *)address;
}

static inline bool kma_in_library(uintptr_t pc)
{
	return pc - kma_root.text_base < kma_root.text_end - kma_root.text_base;
}

/* Where a walk began: here, by path, to frame zero. */
struct kma_begin {
	struct kma_place here, zero;
	const struct kma_path *path;
	struct kma_bounds bounds;
};

/* Are the return addresses of that way in their slots? */
static inline bool kma_path_is_same(const struct kma_path *path, uintptr_t sp)
{
	uint64_t wrong = 0;

	for (size_t i = 0; i < path->frames; i++)
		wrong |= kma_path_load(sp + path->slot[i]) ^ path->key[i];
	return wrong == 0;
}

/* Is it this way out of the frame whose sp this is? */
static inline bool kma_path_leads(const struct kma_path *path, uintptr_t sp,
				  const struct kma_bounds *bounds)
{
	return path->frames > 0 && bounds->top - sp > path->end_slot &&
	       kma_path_is_same(path, sp) &&
	       !kma_in_library(kma_path_load(sp + path->end_slot));
}

/* From here to frame 0, which is outermost of this library. */
static inline void kma_path_follow(const struct kma_path *path,
				   const struct kma_place *here,
				   struct kma_place *zero)
{
	zero->key = path->key[path->frames - 1];
	zero->sp = here->sp + path->slot[path->frames - 1] + sizeof(uintptr_t);
	zero->fp = path->fp_slot ? kma_path_load(here->sp + path->fp_slot)
				 : here->fp;
}

/* The same by the rules; the way is kept. NULL: it cannot be gone by rules. */
const struct kma_path *kma_path_find(struct kma_paths *paths,
				     const struct kma_place *here,
				     const struct kma_bounds *bounds,
				     struct kma_place *zero);

/* From here to the outermost frame of this library, which is frame zero; the
 * way there. NULL: it cannot be gone by rules. */
static inline const struct kma_path *
kma_path_leave(struct kma_paths *paths, const struct kma_place *here,
	       const struct kma_bounds *bounds, struct kma_place *zero)
{
	for (unsigned i = 0; i < KMA_PATHS; i++)
		if (kma_path_leads(&paths->path[i], here->sp, bounds)) {
			kma_path_follow(&paths->path[i], here, zero);
			return &paths->path[i];
		}
	return kma_path_find(paths, here, bounds, zero);
}

#endif
