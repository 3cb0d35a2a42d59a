/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/trace_kept.h"

#include "alloc/stack.h"

#include <string.h>

void kma_kept_forget(struct kma_kept *k)
{
	k->first = KMA_KEPT_MAX;
	k->sp = 0;
}

/* --- what of it still stands ------------------------------------------------
 */

/* The same by what was saved: some frame in or outside of at, or at. */
static size_t intact_by_saved(const struct kma_kept *k, size_t at, uintptr_t sp,
			      const struct kma_bounds *bounds)
{
	for (uint32_t i = 0; i < k->frame[at].saved; i++) {
		const struct kma_kept_saved *saved = &k->saved[i];

		if (saved->slot - sp >= bounds->top - sp ||
		    kma_path_load(saved->slot) != saved->value)
			return saved->frame + 1;
	}
	return at;
}

/*
 * The innermost frame outside of which every slot holds what it did;
 * KMA_KEPT_MAX: there is none. What is between sp and the stack's top can be
 * read, and nothing else: the last stack may have been another, whose memory
 * is gone.
 */
static size_t innermost_intact(const struct kma_kept *k, uintptr_t sp,
			       const struct kma_bounds *bounds)
{
	size_t at = KMA_KEPT_MAX - 1;

	if (k->first == KMA_KEPT_MAX)
		return KMA_KEPT_MAX;
	/* Every frame's slot lies inside that of the one outside of it. */
	while (at - k->first >= 4 && k->frame_sp[at - 3] > sp &&
	       kma_kept_four_wrong(k, at - 3) == 0)
		at -= 4;
	while (at > k->first && k->frame_sp[at] > sp &&
	       kma_kept_wrong(k, at) == 0)
		at--;
	return intact_by_saved(k, at, sp, bounds);
}

static bool is_usable(const struct kma_kept *k, uint32_t generation,
		      const struct kma_bounds *bounds)
{
	return k->first < KMA_KEPT_MAX && k->generation == generation &&
	       k->frame_sp[KMA_KEPT_MAX - 1] <= bounds->top;
}

/* Take over what is outside of at. */
static void copy(struct kma_kept *k, const struct kma_kept *other, size_t at)
{
	size_t count = KMA_KEPT_MAX - at;

	memcpy(&k->key[at], &other->key[at], count * sizeof(k->key[0]));
	memcpy(&k->frame_sp[at], &other->frame_sp[at],
	       count * sizeof(k->frame_sp[0]));
	memcpy(&k->frame[at], &other->frame[at], count * sizeof(k->frame[0]));
	memcpy(k->saved, other->saved,
	       other->frame[at].saved * sizeof(k->saved[0]));
	k->first = at;
}

/* --- walking ----------------------------------------------------------------
 */

static bool is_same_frame(const struct kma_kept *k, size_t at,
			  const struct kma_place *place)
{
	const struct kma_kept_frame *frame = &k->frame[at];

	return k->frame_sp[at] == place->sp && k->key[at] == place->key &&
	       (!frame->needs_fp || frame->fp == place->fp);
}

/* As unwind.c has it: no rule and no frame pointer is the end as well. */
static bool is_end(uint64_t rule, const struct kma_place *place)
{
	return kma_rule_kind(rule) == KMA_RULE_END ||
	       (kma_rule_kind(rule) == KMA_RULE_NONE && place->fp == 0);
}

static uintptr_t sp_of(const struct kma_kept *k, size_t at)
{
	return at < KMA_KEPT_MAX ? k->frame_sp[at] : UINTPTR_MAX;
}

/*
 * Walk until a frame of the kept stack, which is intact outside of *at, or the
 * end. *count is how many frames are new; *at becomes the index of the first
 * kept one, KMA_KEPT_MAX if none. False: not a stack that can be kept.
 */
static bool walk(struct kma_walked *walked, const struct kma_kept *k,
		 struct kma_place place, const struct kma_bounds *bounds,
		 size_t *count, size_t *at)
{
	uintptr_t join = sp_of(k, *at);
	struct kma_walked *frame = walked;

	for (;;) {
		while (__builtin_expect(place.sp >= join, 0)) {
			if (is_same_frame(k, *at, &place)) {
				*count = (size_t)(frame - walked);
				return *count <= *at;
			}
			join = sp_of(k, ++*at);
		}
		if (frame == walked + KMA_KEPT_MAX)
			return false;
		frame->key = place.key;
		frame->sp = place.sp;
		frame->fp = place.fp;
		frame->rule = kma_rule_find(place.key);
		if (__builtin_expect(
			    !kma_place_step(&place, frame->rule, bounds), 0))
			break;
		frame++;
	}
	*at = KMA_KEPT_MAX;
	*count = (size_t)(frame - walked) + 1;
	return is_end(frame->rule, &place);
}

/* --- putting the new frames to the kept ones --------------------------------
 */

/* The frame at index or one outside of it is found by fp: by the fp that it has
 * itself, or did it save that one? */
static void put_fp(struct kma_kept *k, size_t at, uint64_t rule)
{
	enum kma_rule_kind kind = kma_rule_kind(rule);
	struct kma_kept_frame *frame = &k->frame[at];
	uintptr_t depth = kma_rule_fp_depth(rule);

	if (frame->needs_fp && depth) {
		k->saved[frame->saved++] =
			(struct kma_kept_saved){ k->frame_sp[at + 1] - depth,
						 frame[1].fp, at };
		frame->needs_fp = false;
	}
	frame->needs_fp |= kind == KMA_RULE_FP || kind == KMA_RULE_NONE;
}

/* Put the new frames before the kept ones, from the outermost of them in. */
static void merge(struct kma_kept *k, const struct kma_walked *walked,
		  struct kma_names *names, size_t count, size_t kept)
{
	struct kma_kept_frame last = { .hash = KMA_STACK_HASH_SEED };

	if (kept < KMA_KEPT_MAX)
		last = k->frame[kept];
	k->first = kept - count;
	for (size_t i = count, at = kept; i-- > 0;) {
		const struct kma_walked *new = &walked[i];

		last.fp = new->fp;
		last.hash = kma_stack_hash_step(last.hash, new->key);
		last.node =
			kma_name_node(names, last.hash, last.node, new->key);
		k->key[--at] = new->key;
		k->frame_sp[at] = new->sp;
		k->frame[at] = last;
		if (__builtin_expect(
			    last.needs_fp |
				    (kma_rule_kind(new->rule) != KMA_RULE_SP),
			    0)) {
			put_fp(k, at, new->rule);
			last.saved = k->frame[at].saved;
			last.needs_fp = k->frame[at].needs_fp;
		}
	}
}

bool kma_kept_update(struct kma_kept *k, const struct kma_kept *other,
		     struct kma_walked *walked, struct kma_names *names,
		     const struct kma_place *here,
		     const struct kma_bounds *bounds, bool *changed)
{
	enum { NEAR = 4 }; /* so few frames are walked at once */
	uint32_t generation =
		__atomic_load_n(&kma_rule_generation, __ATOMIC_ACQUIRE);
	size_t count;

	/* Rules that changed are of no use, and neither is another stack. */
	if (!is_usable(k, generation, bounds))
		k->first = KMA_KEPT_MAX;
	k->generation = generation;
	*changed = false;

	size_t kept = innermost_intact(k, here->sp, bounds);
	if ((kept == KMA_KEPT_MAX || kept - k->first > NEAR) &&
	    is_usable(other, generation, bounds)) {
		size_t more = innermost_intact(other, here->sp, bounds);

		if (more < kept) {
			copy(k, other, more);
			kept = more;
			*changed = true;
		}
	}
	if (!walk(walked, k, *here, bounds, &count, &kept))
		return false;
	*changed |= count > 0 || kept != k->first;
	if (*changed)
		merge(k, walked, names, count, kept);
	return true;
}
