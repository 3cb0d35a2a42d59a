/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/trace_walk.h"

#include "alloc/stack.h"
#include "alloc/trace_kept.h"

/* The fp of the frames walked; most are never asked for it. */
struct walked_fp {
	size_t frame; /* whose it is */
	uintptr_t fp;
};

/* Make it that of a frame further out. False: it cannot be read. */
static bool fp_reach(struct walked_fp *known, const struct kma_walk *walk,
		     size_t frame, const struct kma_bounds *bounds)
{
	size_t at = frame;

	while (at > known->frame && kma_rule_fp_depth(walk->rule[at - 1]) == 0)
		at--;
	if (at > known->frame) {
		uintptr_t depth = kma_rule_fp_depth(walk->rule[at - 1]);

		if (walk->sp[at] - bounds->low < depth)
			return false;
		known->fp = kma_path_load(walk->sp[at] - depth);
	}
	known->frame = frame;
	return true;
}

static bool is_same_frame(const struct kma_kept *k, size_t at,
			  const struct kma_walk *walk, size_t frame,
			  struct walked_fp *known,
			  const struct kma_bounds *bounds)
{
	const struct kma_kept_frame *kept = &k->frame[at];

	return kept->sp == walk->sp[frame] && kept->key == walk->key[frame] &&
	       (!kept->needs_fp || (fp_reach(known, walk, frame, bounds) &&
				    known->fp == k->fp_of[at]));
}

static uintptr_t sp_of(const struct kma_kept *k, size_t at)
{
	return at < KMA_KEPT_MAX ? k->frame[at].sp : UINTPTR_MAX;
}

static void walk_put(struct kma_walk *walk, size_t frame, uintptr_t key,
		     uintptr_t sp, uint64_t rule)
{
	walk->key[frame] = key;
	walk->sp[frame] = sp;
	walk->rule[frame] = rule;
}

/* The frame is that of k at that index. */
static bool walk_join(struct kma_walk *walk, size_t frame,
		      const struct kma_kept *k, size_t at, struct kma_sum sum)
{
	walk->count = frame;
	walk->at = at;
	walk->hash = kma_sum_hash(&sum, k->frame[at].hash);
	return frame <= at;
}

static bool walk_end(struct kma_walk *walk, size_t frame, struct kma_sum sum)
{
	kma_sum_add(&sum, walk->key[frame]);
	walk->count = frame + 1;
	walk->at = KMA_KEPT_MAX;
	walk->hash = kma_sum_hash(&sum, KMA_STACK_HASH_SEED);
	return true;
}

/*
 * The rest of the way, from that frame on, where its fp has to be followed.
 * Where there is no rule, no frame pointer is the end as well, as unwind.c has
 * it.
 */
__attribute__((noinline)) static bool
walk_on(struct kma_walk *walk, size_t i, struct kma_place place,
	const struct kma_kept *k, size_t at, const struct kma_bounds *bounds,
	struct kma_sum sum)
{
	for (; i < KMA_KEPT_MAX; i++) {
		uint64_t rule = kma_rule_find(place.key);
		enum kma_rule_kind kind = kma_rule_kind(rule);
		struct walked_fp known = { i, place.fp };

		walk_put(walk, i, place.key, place.sp, rule);
		for (; place.sp >= sp_of(k, at); at++)
			if (is_same_frame(k, at, walk, i, &known, bounds))
				return walk_join(walk, i, k, at, sum);
		walk->by_fp |= kma_rule_is_by_fp(rule);
		if (kind == KMA_RULE_END ||
		    (kind == KMA_RULE_NONE && place.fp == 0))
			return walk_end(walk, i, sum);
		if (!kma_place_step(&place, rule, bounds))
			return false;
		kma_sum_add(&sum, walk->key[i]);
	}
	return false;
}

/*
 * From one key to the next it is an and, a load, and another load; what else
 * there is, the stack's hash before all, is beside that. Most frames are found
 * by sp: fp is looked for when a rule asks for it.
 */
bool kma_walk_out(struct kma_walk *walk, const struct kma_kept *k, size_t at,
		  const struct kma_place *here, const struct kma_bounds *bounds)
{
	struct walked_fp known = { 0, here->fp };
	uintptr_t key = here->key, sp = here->sp, join = sp_of(k, at);
	struct kma_sum sum = KMA_SUM_NONE;

	walk->by_fp = false;
	for (size_t i = 0; i < KMA_KEPT_MAX; i++) {
		const union kma_rule_slot *slot = kma_rule_slot(key);
		uintptr_t up = __atomic_load_n(&slot->up, __ATOMIC_RELAXED);
		uint64_t word = __atomic_load_n(&slot->word, __ATOMIC_RELAXED);
		uint64_t rule = kma_rule_of(word, key);

		walk_put(walk, i, key, sp, rule);
		while (__builtin_expect(sp >= join, 0)) {
			if (is_same_frame(k, at, walk, i, &known, bounds))
				return walk_join(walk, i, k, at, sum);
			join = sp_of(k, ++at);
		}
		if (__builtin_expect(!kma_rule_is_plain(rule, up), 0)) {
			rule = walk->rule[i] = kma_rule_find(key);
			up = kma_rule_cfa(rule) / 8;
			if (kma_rule_kind(rule) == KMA_RULE_END)
				return walk_end(walk, i, sum);
			if (kma_rule_kind(rule) != KMA_RULE_SP)
				return fp_reach(&known, walk, i, bounds) &&
				       walk_on(walk, i,
					       (struct kma_place){ key, sp,
								   known.fp },
					       k, at, bounds, sum);
		}
		kma_sum_add(&sum, key);
		sp += up * 8;
		if (__builtin_expect(sp > bounds->top, 0))
			return false;
		key = kma_path_load(sp - sizeof(uintptr_t));
		if (__builtin_expect(key < KMA_KEY_LOWEST, 0))
			return false;
	}
	return false;
}
