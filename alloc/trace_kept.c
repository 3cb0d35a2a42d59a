/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/trace_kept.h"

#include "alloc/stack.h"

enum { AT_ONCE = 4 }; /* slots that are looked at in a turn */

void kma_kept_forget(struct kma_kept *k)
{
	k->first = KMA_KEPT_MAX;
	k->sp = 0;
}

/* What is between sp and the stack's top can be read, and nothing else: the
 * last stack may have been another, whose memory is gone. */
static inline bool can_be_read(const struct kma_kept_check *check, uintptr_t sp,
			       const struct kma_bounds *bounds)
{
	return check->slot - sp < bounds->top - sp;
}

/* All four, without a branch between them. */
static inline bool four_can_be_read(const struct kma_kept_check *check,
				    uintptr_t sp,
				    const struct kma_bounds *bounds)
{
	unsigned count = 0;

	for (int i = 0; i < AT_ONCE; i++)
		count += can_be_read(&check[i], sp, bounds);
	return count == AT_ONCE;
}

/* The innermost frame outside of which every slot holds what it did;
 * KMA_KEPT_MAX: there is none. */
static size_t innermost_intact(const struct kma_kept *k, uintptr_t sp,
			       const struct kma_bounds *bounds)
{
	const struct kma_kept_check *check = k->check;

	if (k->first == KMA_KEPT_MAX)
		return KMA_KEPT_MAX;

	uint32_t lowest = k->frame[k->first].check, at = KMA_KEPT_CHECKS;

	for (; at - lowest >= AT_ONCE; at -= AT_ONCE)
		if (!four_can_be_read(&check[at - AT_ONCE], sp, bounds) ||
		    (kma_kept_wrong(&check[at - 1]) |
		     kma_kept_wrong(&check[at - 2]) |
		     kma_kept_wrong(&check[at - 3]) |
		     kma_kept_wrong(&check[at - 4])))
			break;
	while (at > lowest && can_be_read(&check[at - 1], sp, bounds) &&
	       kma_kept_wrong(&check[at - 1]) == 0)
		at--;

	size_t frame = KMA_KEPT_MAX - 1;

	while (frame > k->first && k->frame[frame - 1].check >= at)
		frame--;
	return frame;
}

static bool is_same_frame(const struct kma_kept *k, size_t at,
			  const struct kma_place *place)
{
	const struct kma_kept_frame *frame = &k->frame[at];

	return frame->sp == place->sp && k->key[at] == place->key &&
	       (!frame->needs_fp || frame->fp == place->fp);
}

/* As unwind.c has it: no rule and no frame pointer is the end as well. */
static bool is_end(uint64_t rule, const struct kma_place *place)
{
	return kma_rule_kind(rule) == KMA_RULE_END ||
	       (kma_rule_kind(rule) == KMA_RULE_NONE && place->fp == 0);
}

/*
 * Walk until a frame of the kept stack, or the end. *count is how many frames
 * are new; the result is the index of the first kept one, KMA_KEPT_MAX if none.
 * False: not a stack that can be kept.
 */
static bool walk(struct kma_walked *walked, const struct kma_kept *k,
		 struct kma_place place, const struct kma_bounds *bounds,
		 size_t *count, size_t *kept)
{
	enum { MISSES_MAX = 3 }; /* then all outside of at is known */
	size_t at = k->first, n = 0;
	unsigned misses = 0;

	for (;;) {
		while (at < KMA_KEPT_MAX && k->frame[at].sp < place.sp)
			at++;
		if (at < KMA_KEPT_MAX && is_same_frame(k, at, &place)) {
			if (misses == MISSES_MAX ||
			    kma_kept_is_intact(k, k->frame[at].check))
				break;
			if (++misses == MISSES_MAX)
				at = innermost_intact(k, place.sp, bounds);
		}
		if (n == KMA_KEPT_MAX)
			return false;
		uint64_t rule = kma_rule_find(place.key);
		struct kma_walked_frame *frame = &walked->frame[n++];

		frame->key = place.key;
		frame->sp = place.sp;
		frame->fp = place.fp;
		frame->fp_slot = 0;
		frame->by_fp = kma_rule_kind(rule) == KMA_RULE_FP ||
			       kma_rule_kind(rule) == KMA_RULE_NONE;
		if (is_end(rule, &place)) {
			at = KMA_KEPT_MAX;
			break;
		}
		if (!kma_place_step(&place, rule, bounds, &frame->fp_slot))
			return false;
	}
	*count = n;
	*kept = at;
	return n <= at;
}

/* Put a new frame before the one at index at + 1. */
static void put(struct kma_kept *k, size_t at,
		const struct kma_walked_frame *new, uint64_t serial)
{
	const struct kma_kept_frame *caller = &k->frame[at + 1];
	struct kma_kept_frame *frame = &k->frame[at];
	uint64_t hash = KMA_STACK_HASH_SEED;
	uint32_t check = KMA_KEPT_CHECKS;
	bool needs_fp = false;

	if (at + 1 < KMA_KEPT_MAX) {
		hash = caller->hash;
		needs_fp = caller->needs_fp;
		check = caller->check - 1;
		k->check[check].slot = caller->sp - sizeof(uintptr_t);
		k->check[check].value = k->key[at + 1];
		if (needs_fp && new->fp_slot)
			k->check[--check] =
				(struct kma_kept_check){ new->fp_slot,
							 caller->fp };
	}
	k->key[at] = new->key;
	frame->sp = new->sp;
	frame->fp = new->fp;
	frame->hash = kma_stack_hash_step(hash, new->key);
	frame->serial = serial;
	frame->check = check;
	frame->needs_fp = (needs_fp && !new->fp_slot) || new->by_fp;
}

/* Put the new frames before the kept ones, from the outermost of them in. */
static void merge(struct kma_kept *k, struct kma_walked *walked, size_t count,
		  size_t kept)
{
	k->serial = kept < KMA_KEPT_MAX ? k->frame[kept].serial : 0;
	k->count = count;
	k->first = kept - count;
	for (size_t i = count; i > 0; i--)
		put(k, k->first + i - 1, &walked->frame[i - 1],
		    ++walked->last_serial);
}

bool kma_kept_update(struct kma_kept *k, struct kma_walked *walked,
		     const struct kma_place *here,
		     const struct kma_bounds *bounds, bool *changed)
{
	uint32_t generation =
		__atomic_load_n(&kma_rule_generation, __ATOMIC_ACQUIRE);
	size_t count, kept;

	/* Rules that changed are of no use, and neither is another stack. */
	if (k->generation != generation ||
	    k->frame[KMA_KEPT_MAX - 1].sp > bounds->top)
		k->first = KMA_KEPT_MAX;
	k->generation = generation;
	if (!walk(walked, k, *here, bounds, &count, &kept))
		return false;
	*changed = count > 0 || kept != k->first;
	if (*changed)
		merge(k, walked, count, kept);
	return true;
}
