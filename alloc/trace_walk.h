/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk by rules, from frame zero to the end or to a frame that is kept.
 *
 * It follows sp, and most often nothing else. The stack's hash comes with it.
 */
#ifndef ALLOC_TRACE_WALK_H
#define ALLOC_TRACE_WALK_H

#include "alloc/trace_path.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KMA_KEPT_MAX = 256 /* frames */ };

struct kma_kept;

/* The frames that were walked, innermost first, and the rules they were left
 * by. */
struct kma_walk {
	size_t count;
	size_t at;  /* index of the kept one that is next; KMA_KEPT_MAX: none */
	bool by_fp; /* some frame hangs on its fp */
	uint64_t hash; /* of the whole stack */
	uint64_t key[KMA_KEPT_MAX];
	uintptr_t sp[KMA_KEPT_MAX];
	uint64_t rule[KMA_KEPT_MAX];
};

/*
 * From here to a frame of k, which is intact outside of at, or to the end.
 * at KMA_KEPT_MAX: to the end. False: not a stack that can be kept.
 */
bool kma_walk_out(struct kma_walk *walk, const struct kma_kept *k, size_t at,
		  const struct kma_place *here,
		  const struct kma_bounds *bounds);

#endif
