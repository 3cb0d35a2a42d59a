/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/trace_kept.h"

#include "alloc/stack.h"

#include <string.h>

void kma_kept_forget(struct kma_kept *k)
{
	k->first = KMA_KEPT_MAX;
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
	while (at - k->first >= 4 && k->frame[at - 3].sp > sp &&
	       kma_kept_four_wrong(k, at - 3) == 0)
		at -= 4;
	while (at > k->first && k->frame[at].sp > sp &&
	       kma_kept_wrong(k, at) == 0)
		at--;
	return intact_by_saved(k, at, sp, bounds);
}

static bool is_usable(const struct kma_kept *k, uint32_t generation,
		      const struct kma_bounds *bounds)
{
	return k->first < KMA_KEPT_MAX && k->generation == generation &&
	       k->frame[KMA_KEPT_MAX - 1].sp <= bounds->top;
}

/* Take over what is outside of at. */
static void copy(struct kma_kept *k, const struct kma_kept *other, size_t at)
{
	const struct kma_kept_frame *first = &other->frame[at];

	for (size_t i = at; i < KMA_KEPT_MAX; i++)
		k->frame[i] = other->frame[i];
	if (first->saved || first->needs_fp)
		memcpy(&k->fp_of[at], &other->fp_of[at],
		       (KMA_KEPT_MAX - at) * sizeof(k->fp_of[0]));
	memcpy(k->saved, other->saved, first->saved * sizeof(k->saved[0]));
	k->first = at;
}

/* --- walking ----------------------------------------------------------------
 */

/* The fp of the frames walked; most are never asked for it. */
struct walked_fp {
	const struct kma_walked *frame; /* whose it is */
	uintptr_t fp;
};

/* Make it that of a frame further out. False: it cannot be read. */
static bool fp_reach(struct walked_fp *known, const struct kma_walked *frame,
		     const struct kma_bounds *bounds)
{
	const struct kma_walked *at = frame;

	while (at > known->frame && kma_rule_fp_depth(at[-1].rule) == 0)
		at--;
	if (at > known->frame) {
		uintptr_t depth = kma_rule_fp_depth(at[-1].rule);

		if (at->sp - bounds->low < depth)
			return false;
		known->fp = kma_path_load(at->sp - depth);
	}
	known->frame = frame;
	return true;
}

static bool is_same_frame(const struct kma_kept *k, size_t at,
			  const struct kma_walked *frame,
			  struct walked_fp *known,
			  const struct kma_bounds *bounds)
{
	const struct kma_kept_frame *kept = &k->frame[at];

	return kept->sp == frame->sp && kept->key == frame->key &&
	       (!kept->needs_fp ||
		(fp_reach(known, frame, bounds) && known->fp == k->fp_of[at]));
}

/* As unwind.c has it: no rule and no frame pointer is the end as well. */
static bool is_end(const struct kma_walked *frame, struct walked_fp *known,
		   const struct kma_bounds *bounds)
{
	enum kma_rule_kind kind = kma_rule_kind(frame->rule);

	return kind == KMA_RULE_END ||
	       (kind == KMA_RULE_NONE && fp_reach(known, frame, bounds) &&
		known->fp == 0);
}

static uintptr_t sp_of(const struct kma_kept *k, size_t at)
{
	return at < KMA_KEPT_MAX ? k->frame[at].sp : UINTPTR_MAX;
}

/* Does it hang on the fp of its frame? */
static bool is_by_fp(uint64_t rule)
{
	enum kma_rule_kind kind = kma_rule_kind(rule);

	return kind == KMA_RULE_FP || kind == KMA_RULE_NONE;
}

/* The CFA of a frame whose rule is not a plain one, or not in the near table;
 * 0: there is none. */
static uintptr_t cfa_otherwise(struct kma_walked *frame,
			       struct walked_fp *known,
			       const struct kma_bounds *bounds)
{
	frame->rule = kma_rule_find(frame->key);
	uintptr_t up = kma_rule_cfa(frame->rule);

	switch (kma_rule_kind(frame->rule)) {
	case KMA_RULE_SP:
		return frame->sp + up;
	case KMA_RULE_FP:
		return fp_reach(known, frame, bounds) &&
				       known->fp + up > frame->sp
			       ? known->fp + up
			       : 0;
	default:
		return 0;
	}
}

/* What a walk came to. */
struct walked {
	size_t count; /* frames that are new */
	size_t at;    /* index of the first kept one; KMA_KEPT_MAX: none */
	bool by_fp;   /* some new one is found by fp */
};

/*
 * Walk until a frame of the kept stack, which is intact outside of at, or the
 * end. False: not a stack that can be kept.
 *
 * From one key to the next it is a load, a multiplication and a load; what else
 * there is, is beside that. fp is looked for where it is asked for only.
 */
static bool walk(struct kma_walked *walked, const struct kma_kept *k, size_t at,
		 const struct kma_place *here, const struct kma_bounds *bounds,
		 struct walked *ret)
{
	struct walked_fp known = { walked, here->fp };
	uintptr_t key = here->key, sp = here->sp, join = sp_of(k, at);
	struct kma_walked *frame = walked;

	ret->by_fp = false;
	for (; frame < walked + KMA_KEPT_MAX; frame++) {
		uint64_t mixed = kma_rule_mix(key);
		uint64_t word = kma_rule_word(mixed);

		*frame = (struct kma_walked){ key, sp, word };
		while (__builtin_expect(sp >= join, 0)) {
			if (is_same_frame(k, at, frame, &known, bounds)) {
				ret->count = (size_t)(frame - walked);
				ret->at = at;
				return ret->count <= at;
			}
			join = sp_of(k, ++at);
		}
		sp += kma_rule_cfa(word);
		if (__builtin_expect(!kma_rule_is_plain(word, mixed), 0)) {
			sp = cfa_otherwise(frame, &known, bounds);
			ret->by_fp |= is_by_fp(frame->rule);
			if (sp == 0)
				break;
		}
		if (__builtin_expect(sp > bounds->top, 0))
			return false;
		key = kma_path_load(sp - sizeof(uintptr_t));
		if (__builtin_expect(key == 0, 0))
			return false;
	}
	ret->count = (size_t)(frame - walked) + 1;
	ret->at = KMA_KEPT_MAX;
	return frame < walked + KMA_KEPT_MAX && is_end(frame, &known, bounds);
}

/* --- putting the new frames to the kept ones --------------------------------
 */

/* The frame at index or one outside of it is found by fp: by the fp that it has
 * itself, or did it save that one? */
static void put_fp(struct kma_kept *k, size_t at, uint64_t rule)
{
	struct kma_kept_frame *frame = &k->frame[at];
	uintptr_t depth = kma_rule_fp_depth(rule);

	if (at + 1 < KMA_KEPT_MAX) {
		frame->saved = frame[1].saved;
		frame->needs_fp = frame[1].needs_fp;
	}
	if (frame->needs_fp && depth) {
		k->saved[frame->saved++] =
			(struct kma_kept_saved){ frame[1].sp - depth,
						 k->fp_of[at + 1], at };
		frame->needs_fp = false;
	}
	frame->needs_fp |= is_by_fp(rule);
}

/*
 * Which of the new frames need which fp. What is needed was read on the way
 * already; of the rest a slot may lie where nothing can be read.
 */
static void merge_fp(struct kma_kept *k, const struct kma_walked *walked,
		     const struct kma_place *here,
		     const struct kma_bounds *bounds, const struct walked *new)
{
	uintptr_t fp = here->fp;

	for (size_t i = 0, at = k->first; i < new->count; i++) {
		uintptr_t depth = kma_rule_fp_depth(walked[i].rule);

		k->fp_of[at++] = fp;
		if (at < KMA_KEPT_MAX && depth &&
		    k->frame[at].sp - bounds->low >= depth)
			fp = kma_path_load(k->frame[at].sp - depth);
	}
	for (size_t i = new->count, at = new->at; i-- > 0;)
		put_fp(k, --at, walked[i].rule);
}

/* Put the new frames before the kept ones, from the outermost of them in. */
static void merge(struct kma_kept *k, const struct kma_walked *walked,
		  const struct kma_place *here, const struct kma_bounds *bounds,
		  const struct walked *new)
{
	struct kma_kept_frame last = { .hash = KMA_STACK_HASH_SEED };

	if (new->at < KMA_KEPT_MAX)
		last = k->frame[new->at];
	k->first = new->at - new->count;
	for (size_t i = new->count, at = new->at; i-- > 0;) {
		last.key = walked[i].key;
		last.sp = walked[i].sp;
		last.hash = kma_stack_hash_step(last.hash, last.key);
		k->frame[--at] = last;
	}
	if (__builtin_expect(new->by_fp || last.needs_fp, 0))
		merge_fp(k, walked, here, bounds, new);
}

bool kma_kept_update(struct kma_kept *k, const struct kma_kept *other,
		     struct kma_walked *walked, const struct kma_place *here,
		     const struct kma_bounds *bounds, bool *changed)
{
	enum { NEAR = 4 }; /* so few frames are walked at once */
	uint32_t generation =
		__atomic_load_n(&kma_rule_generation, __ATOMIC_ACQUIRE);
	struct walked new;

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
	if (!walk(walked, k, kept, here, bounds, &new))
		return false;
	*changed |= new.count > 0 || new.at != k->first;
	if (*changed)
		merge(k, walked, here, bounds, &new);
	return true;
}
