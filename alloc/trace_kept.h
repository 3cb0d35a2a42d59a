/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One stack kept, and how the next is made from it.
 *
 * Looking for what of the last one still stands takes as long as walking eight
 * frames, most of it for branches that no processor guesses. Where it finds
 * fewer for a while, all of each stack is walked (trace_walk.h), and its frames
 * are not put here until somebody wants them. Else:
 *
 *	last:           m n o | h g f e d c b a
 *	now:              p q | h g f e d c b a
 *	                  ^ walked   ^ checked, not walked
 *
 * From the outermost frame in, every slot that the last stack was read from is
 * loaded: the return address of each frame, and the saved fp where a frame
 * further out is found by it. Those loads do not wait for each other, as a
 * walk's do, so a kept frame costs a third of a walked one. As far in as all
 * are as they were, so is everything derived from them, and the walk, which
 * comes from the inner end, need go no further than to the first frame there
 * whose sp and PC it meets. Until it is that far out, it compares nothing.
 *
 * Two stacks are kept, that of the last allocation and that of the last free.
 * Where little is left of the one, the other may have more, as it is more
 * recent: that is copied then.
 *
 * Each frame has a hash, which stands for it and all that is outside it: that
 * of the kept part is there already.
 *
 * Only stacks of plain rules up to an end can be kept.
 */
#ifndef ALLOC_TRACE_KEPT_H
#define ALLOC_TRACE_KEPT_H

#include "alloc/thread.h"
#include "alloc/trace_path.h"
#include "alloc/trace_walk.h"
#include "alloc/unwind_rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kma_kept_frame {
	uint64_t key;
	uintptr_t sp;
	uint64_t hash;  /* of it and all outside it */
	uint32_t saved; /* how many of the kept slots are outside it */
	bool needs_fp;  /* it or an outer frame is found by this one's fp */
};

/* Where a frame saved the fp by which one further out is found. */
struct kma_kept_saved {
	uintptr_t slot, value;
	size_t frame; /* the frame that saved it */
};

/* A stack kept, outermost frame last. */
struct kma_kept {
	uint64_t hash;       /* of the stack; 0: none */
	size_t depth;        /* of the stack */
	uint32_t id;         /* in the depot; 0 not known */
	uint32_t generation; /* of the rules it was walked by */
	bool look;           /* the next is made from it */
	int worth;           /* frames that looking saved, less its price */
	unsigned turns;      /* in which it did not */
	size_t first; /* index of the innermost frame; KMA_KEPT_MAX: none yet */
	struct kma_kept_frame frame[KMA_KEPT_MAX];
	uintptr_t fp_of[KMA_KEPT_MAX];             /* of frames that need it */
	struct kma_kept_saved saved[KMA_KEPT_MAX]; /* outermost first */
};

void kma_kept_forget(struct kma_kept *k);

/*
 * Make it the stack that here is the innermost frame of, the outermost of this
 * library's. other is the stack of the other use. False: not a stack that can
 * be kept; forget it.
 */
bool kma_kept_update(struct kma_kept *k, const struct kma_kept *other,
		     struct kma_walk *walk, const struct kma_place *here,
		     const struct kma_bounds *bounds);

/* Its frames are wanted, those of the stack that was walked last. */
void kma_kept_fill(struct kma_kept *k, const struct kma_walk *walk,
		   const struct kma_place *here,
		   const struct kma_bounds *bounds);

/* 0 if the frame's return address is where it was. */
static inline uint64_t kma_kept_wrong(const struct kma_kept *k, size_t at)
{
	const struct kma_kept_frame *frame = &k->frame[at];

	return kma_path_load(frame->sp - sizeof(uintptr_t)) ^ frame->key;
}

static inline uint64_t kma_kept_four_wrong(const struct kma_kept *k, size_t at)
{
	return kma_kept_wrong(k, at) | kma_kept_wrong(k, at + 1) |
	       kma_kept_wrong(k, at + 2) | kma_kept_wrong(k, at + 3);
}

#endif
