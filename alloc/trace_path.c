/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/trace_path.h"

static bool path_walk(struct kma_path *path, struct kma_place *place,
		      const struct kma_bounds *bounds)
{
	struct kma_place next = *place;
	uintptr_t sp = place->sp, fp_slot = 0;
	bool fixed = true;

	*path = (struct kma_path){ 0 };
	for (size_t i = 0;; i++) {
		uint64_t rule = kma_rule_find(next.key);

		*place = next;
		path->fp_slot = fp_slot;
		fixed &= kma_rule_kind(rule) == KMA_RULE_SP &&
			 i < KMA_PATH_FRAMES;
		if (!kma_place_step(&next, rule, bounds))
			return false;
		if (!kma_in_library(next.key))
			break;
		if (kma_rule_fp_depth(rule))
			fp_slot = next.sp - kma_rule_fp_depth(rule) - sp;
		if (fixed) {
			path->slot[i] = next.sp - sizeof(uintptr_t) - sp;
			path->key[i] = next.key;
			path->frames = i + 1;
		}
	}
	path->end_slot = next.sp - sizeof(uintptr_t) - sp;
	if (!fixed)
		path->frames = 0;
	return true;
}

const struct kma_path *kma_path_find(struct kma_paths *paths,
				     const struct kma_place *here,
				     const struct kma_bounds *bounds,
				     struct kma_place *zero)
{
	paths->next = (paths->next + 1) % KMA_PATHS;

	struct kma_path *path = &paths->path[paths->next];

	*zero = *here;
	return path_walk(path, zero, bounds) ? path : NULL;
}
