/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One stack kept, and how the next is made from it.
 *
 *	last:           m n o | h g f e d c b a
 *	now:              p q | h g f e d c b a
 *	                  ^ walked   ^ checked, not walked
 *
 * At the first frame whose sp and PC are in the last stack, the rest is checked
 * by loading every slot it was read from: the return address of each frame, and
 * the saved fp where a frame further out is found by it. Those loads do not
 * wait for each other, as a walk's do, so a kept frame costs a fifth of a
 * walked one. If all are as they were, so is everything derived from them. What
 * is not differs near the inner end, most often, and the next such frame is
 * tried; but after a few it is looked from the outermost frame in for how far
 * all is as it was, and the walk goes on until it meets that part.
 *
 * The hash runs from the outermost frame inwards: that of the kept part is
 * there already. So is its name: each frame gets a serial number when it is
 * put into the array, which stands for it and all that is outside it until
 * another takes its place.
 *
 * Only stacks of plain rules up to an end can be kept.
 */
#ifndef ALLOC_TRACE_KEPT_H
#define ALLOC_TRACE_KEPT_H

#include "alloc/thread.h"
#include "alloc/trace_path.h"
#include "alloc/unwind_rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KMA_KEPT_MAX = 256, /* frames */
	/* Two slots a frame, and those of the way out of this library. */
	KMA_KEPT_CHECKS = 2 * KMA_KEPT_MAX + KMA_PATH_FRAMES + 1,
};

/* A frame of the last stack. */
struct kma_kept_frame {
	uintptr_t sp, fp;
	uint64_t hash;   /* of it and all outside it */
	uint64_t serial; /* so is this */
	uint32_t check;  /* index of the first that is further out */
	bool needs_fp;   /* it or an outer frame is found by this fp */
};

/* What a slot must hold for the frames outside it to be as they were. */
struct kma_kept_check {
	uintptr_t slot;
	uint64_t value;
};

/* A stack kept, outermost frame last. */
struct kma_kept {
	size_t first; /* index of the innermost frame; KMA_KEPT_MAX: empty */
	uint32_t generation; /* of the rules it was walked by */
	uint32_t id;         /* in the depot; 0 not known */
	/* How it was made: so many frames put on the part of that serial. */
	uint64_t serial;
	size_t count;
	/* Where it was captured from, and where its checks begin: with those
	 * of the way out of this library. */
	uintptr_t sp, fp;
	uint32_t check_first;
	bool needs_fp; /* that fp is a frame's, as no slot holds it */
	uint64_t key[KMA_KEPT_MAX];
	struct kma_kept_frame frame[KMA_KEPT_MAX];
	struct kma_kept_check check[KMA_KEPT_CHECKS];
};

/* A frame newly walked. */
struct kma_walked_frame {
	uintptr_t key, sp, fp;
	uintptr_t fp_slot; /* where leaving the frame loads fp from; 0 not */
	bool by_fp;        /* its CFA is found by fp */
};

/* What a walk notes, innermost first; the last serial number given. */
struct kma_walked {
	uint64_t last_serial;
	struct kma_walked_frame frame[KMA_KEPT_MAX];
};

void kma_kept_forget(struct kma_kept *k);

/*
 * Make it the stack that here is the innermost frame of, the outermost of this
 * library's. *changed: it is another than it was. False: not a stack that can
 * be kept; forget it.
 */
bool kma_kept_update(struct kma_kept *k, struct kma_walked *walked,
		     const struct kma_place *here,
		     const struct kma_bounds *bounds, bool *changed);

static inline uint64_t kma_kept_wrong(const struct kma_kept_check *check)
{
	return *(const uintptr_t *)check->slot ^ check->value;
}

/*
 * Does every slot from this check on hold what it did? What differs most often
 * differs near the inner end. For who knows that all of them can be read.
 */
static inline bool kma_kept_is_intact(const struct kma_kept *k, uint32_t first)
{
	const struct kma_kept_check *check = &k->check[first];
	const struct kma_kept_check *end = k->check + KMA_KEPT_CHECKS;
	uint64_t wrong = 0;

	for (; end - check >= 4; check += 4)
		if (kma_kept_wrong(check) | kma_kept_wrong(check + 1) |
		    kma_kept_wrong(check + 2) | kma_kept_wrong(check + 3))
			return false;
	for (; check < end; check++)
		wrong |= kma_kept_wrong(check);
	return wrong == 0;
}

/* Is it the stack of last time, captured from the same place? */
static inline bool kma_kept_is_repeated(const struct kma_kept *k,
					const struct kma_thread *self,
					const struct kma_place *here)
{
	return k->sp == here->sp && k->sp >= self->stack_low &&
	       k->frame[KMA_KEPT_MAX - 1].sp <= self->stack_top &&
	       k->generation == __atomic_load_n(&kma_rule_generation,
						__ATOMIC_ACQUIRE) &&
	       (!k->needs_fp || k->fp == here->fp) &&
	       kma_kept_is_intact(k, k->check_first);
}

/*
 * It was captured from here, by path, whose end is frame zero. Put the slots of
 * the way out before those of the stack, so that the next capture from here
 * need not look for either.
 */
static inline void kma_kept_note_path(struct kma_kept *k,
				      const struct kma_path *path,
				      const struct kma_place *here,
				      const struct kma_place *zero)
{
	uint32_t check = k->frame[k->first].check;
	bool needs_fp = k->frame[k->first].needs_fp;

	for (size_t i = path->frames; i > 0; i--)
		k->check[--check] =
			(struct kma_kept_check){ here->sp + path->slot[i - 1],
						 path->key[i - 1] };
	if (needs_fp && path->fp_slot)
		k->check[--check] =
			(struct kma_kept_check){ here->sp + path->fp_slot,
						 zero->fp };
	k->check_first = check;
	k->sp = path->frames ? here->sp : 0;
	k->fp = here->fp;
	k->needs_fp = needs_fp && !path->fp_slot;
}

#endif
