/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/trace_kept.h"

#include "alloc/stack.h"

#include <string.h>

void kma_kept_forget(struct kma_kept *k)
{
	k->first = KMA_KEPT_MAX;
	k->id = 0;
	k->hash = 0;
	k->depth = 0;
	k->look = false;
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
	for (; k->frame[at].sp > sp && kma_kept_wrong(k, at) == 0; at--)
		if (at == k->first)
			return intact_by_saved(k, at, sp, bounds);
	if (++at == KMA_KEPT_MAX)
		return KMA_KEPT_MAX;
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
	frame->needs_fp |= kma_rule_is_by_fp(rule);
}

/*
 * Which of the new frames need which fp. What is needed was read on the way
 * already; of the rest a slot may lie where nothing can be read.
 */
static void merge_fp(struct kma_kept *k, const struct kma_walk *new,
		     const struct kma_place *here,
		     const struct kma_bounds *bounds)
{
	uintptr_t fp = here->fp;

	for (size_t i = 0, at = k->first; i < new->count; i++) {
		uintptr_t depth = kma_rule_fp_depth(new->rule[i]);

		k->fp_of[at++] = fp;
		if (at < KMA_KEPT_MAX && depth &&
		    k->frame[at].sp - bounds->low >= depth)
			fp = kma_path_load(k->frame[at].sp - depth);
	}
	for (size_t i = new->count, at = new->at; i-- > 0;)
		put_fp(k, --at, new->rule[i]);
}

/* Put the new frames before the kept ones, from the outermost of them in. */
static void merge(struct kma_kept *k, const struct kma_walk *new,
		  const struct kma_place *here, const struct kma_bounds *bounds)
{
	struct kma_kept_frame last = { .hash = KMA_STACK_HASH_SEED };

	if (new->at < KMA_KEPT_MAX)
		last = k->frame[new->at];
	k->first = new->at - new->count;
	for (size_t i = new->count, at = new->at; i-- > 0;) {
		last.key = new->key[i];
		last.sp = new->sp[i];
		last.hash = kma_stack_hash_step(last.hash, last.key);
		k->frame[--at] = last;
	}
	if (__builtin_expect(new->by_fp || last.needs_fp, 0))
		merge_fp(k, new, here, bounds);
}

void kma_kept_fill(struct kma_kept *k, const struct kma_walk *walk,
		   const struct kma_place *here,
		   const struct kma_bounds *bounds)
{
	if (k->first == KMA_KEPT_MAX)
		merge(k, walk, here, bounds);
}

/* Where the walk may stop; what it stops at is k's by then. */
static size_t still_kept(struct kma_kept *k, const struct kma_kept *other,
			 const struct kma_place *here,
			 const struct kma_bounds *bounds)
{
	enum { NEAR = 4 }; /* so few frames are walked at once */
	size_t kept = innermost_intact(k, here->sp, bounds), more;

	if ((kept != KMA_KEPT_MAX && kept - k->first <= NEAR) ||
	    !is_usable(other, k->generation, bounds))
		return kept;
	more = innermost_intact(other, here->sp, bounds);
	if (more >= kept)
		return kept;
	copy(k, other, more);
	return more;
}

/* So many frames were kept, not walked, by looking for them: is it worth it? */
static void weigh(struct kma_kept *k, size_t kept)
{
	enum { PAYS = 6 /* frames */, MOST = 24 };

	k->worth += (int)kept - PAYS;
	if (k->worth > MOST)
		k->worth = MOST;
	if (k->worth < -MOST)
		k->worth = -MOST;
}

/* Where it is not, every now and then all the same: it may be by now. */
static bool will_look(struct kma_kept *k)
{
	enum { ONE_IN = 8 };

	return k->worth >= 0 || ++k->turns % ONE_IN == 0;
}

bool kma_kept_update(struct kma_kept *k, const struct kma_kept *other,
		     struct kma_walk *walk, const struct kma_place *here,
		     const struct kma_bounds *bounds)
{
	uint32_t generation =
		__atomic_load_n(&kma_rule_generation, __ATOMIC_ACQUIRE);
	size_t kept = KMA_KEPT_MAX;

	/* Rules that changed are of no use, and neither is another stack. */
	if (!k->look || !is_usable(k, generation, bounds))
		k->first = KMA_KEPT_MAX;
	k->generation = generation;
	if (k->look)
		kept = still_kept(k, other, here, bounds);
	if (!kma_walk_out(walk, k, kept, here, bounds))
		return false;
	k->hash = walk->hash;
	k->depth = walk->count + KMA_KEPT_MAX - walk->at;
	if (k->look)
		weigh(k, KMA_KEPT_MAX - walk->at);
	k->look = will_look(k);
	if (k->look)
		merge(k, walk, here, bounds);
	else
		k->first = KMA_KEPT_MAX;
	return true;
}
