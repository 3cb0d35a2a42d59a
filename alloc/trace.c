/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Most of a thread's stack is what it was at its last allocation. So that one
 * is kept, outermost frame last at the end of an array, and the next walk goes
 * only as far as it must:
 *
 *	last:           m n o | h g f e d c b a
 *	now:              p q | h g f e d c b a
 *	                  ^ walked   ^ checked, not walked
 *
 * At the first frame whose sp and PC are in the last stack, the rest is checked
 * by loading every slot it was read from: the return address of each frame, and
 * the saved fp where a frame further out is found by it. Those loads do not
 * wait for each other, as a walk's do, so a kept frame costs a fifth of a
 * walked one. If all are as they were, so is everything derived from them.
 *
 * The hash runs from the outermost frame inwards: that of the kept part is
 * there already.
 *
 * Only stacks of plain rules up to an end are kept; a signal frame, a guess or
 * a frame that needs its whole row empties the trace, and the next few captures
 * do without. busy keeps a signal handler out that comes while the trace is
 * being changed or read.
 */
#include "alloc/trace.h"

#include "alloc/meta.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/thread.h"
#include "alloc/unwind_rule.h"

enum { TRACE_MAX = 256, JOINS_MAX = 3, REST = 16 };
enum { PATHS = 8, PATH_FRAMES = 12 };

/*
 * A way out of this library, to frame 0, in distances from the sp it starts
 * at. There are few, one for each kind of call, and all are of rules by sp:
 * where the same return addresses lie in the same slots, the frames are the
 * same.
 */
struct library_path {
	size_t frames; /* 0: not known yet */
	uintptr_t slot[PATH_FRAMES], key[PATH_FRAMES];
	uintptr_t fp_slot;  /* where frame 0's fp was saved; 0: nowhere */
	uintptr_t end_slot; /* of frame 0's return address */
};

struct trace_frame {
	uintptr_t sp, fp;
	uintptr_t fp_slot; /* where leaving the frame loads fp from; 0 not */
	bool by_fp;        /* its CFA is found by fp */
};

struct kma_trace {
	uint32_t busy;
	uint32_t rest;       /* captures to sit out */
	uint32_t generation; /* of the rules it was walked by */
	uint32_t id;         /* in the depot; 0 not known */
	bool any_fp_slot;
	size_t first; /* index of the innermost frame; TRACE_MAX: empty */
	uintptr_t sp[TRACE_MAX], fp[TRACE_MAX];
	uintptr_t fp_slot[TRACE_MAX]; /* 0 where nothing outer needs it */
	uint64_t key[TRACE_MAX], hash[TRACE_MAX];
	bool needs_fp[TRACE_MAX]; /* it or an outer frame is found by this fp */
	/* Newly walked, innermost first. */
	struct trace_frame walked[TRACE_MAX];
	uint64_t walked_key[TRACE_MAX];
	struct library_path paths[PATHS];
	unsigned next_path; /* to be forgotten */
};

/* A frame being looked at. */
struct place {
	uintptr_t key, sp, fp;
};

static struct kma_trace *trace_of(struct kma_thread *self)
{
	if (self->trace || kma_thread_nested(self))
		return self->trace;
	self->trace = kma_meta_alloc(sizeof(*self->trace));
	if (self->trace)
		self->trace->first = TRACE_MAX;
	return self->trace;
}

/* Are all slots that the frames from at on were read from as they were? */
static bool is_intact(const struct kma_trace *t, size_t at)
{
	uint64_t wrong = 0;

	for (size_t i = at + 1; i < TRACE_MAX; i++)
		wrong |= *(const uint64_t *)(t->sp[i] - 8) ^ t->key[i];
	if (t->any_fp_slot)
		for (size_t i = at; i + 1 < TRACE_MAX; i++)
			if (t->fp_slot[i])
				wrong |= *(const uintptr_t *)t->fp_slot[i] ^
					 t->fp[i + 1];
	return wrong == 0;
}

static bool is_same_frame(const struct kma_trace *t, size_t at,
			  const struct place *place)
{
	return t->sp[at] == place->sp && t->key[at] == place->key &&
	       (!t->needs_fp[at] || t->fp[at] == place->fp);
}

/* To the caller, by a plain rule. False: it is none, or leads astray. */
static inline bool step(struct place *place, uint64_t rule,
			const struct kma_bounds *bounds, uintptr_t *fp_slot)
{
	enum kma_rule_kind kind = kma_rule_kind(rule);
	uintptr_t cfa = (kind == KMA_RULE_SP ? place->sp : place->fp) +
			kma_rule_cfa(rule);
	uintptr_t depth = kma_rule_fp_depth(rule);

	*fp_slot = 0;
	if (__builtin_expect((kind != KMA_RULE_SP && kind != KMA_RULE_FP) ||
				     cfa <= place->sp || cfa > bounds->top ||
				     cfa - bounds->low < depth,
			     0))
		return false;
	if (depth) {
		*fp_slot = cfa - depth;
		place->fp = *(const uintptr_t *)*fp_slot;
	}
	place->key = *(const uintptr_t *)(cfa - 8);
	place->sp = cfa;
	return place->key != 0;
}

static bool in_library(uintptr_t pc)
{
	return pc - kma_root.text_base < kma_root.text_end - kma_root.text_base;
}

static uintptr_t load(uintptr_t address)
{
	return *(const uintptr_t *)address;
}

/* Is it this way out? */
static bool path_follow(const struct library_path *path, struct place *place,
			const struct kma_bounds *bounds)
{
	uintptr_t sp = place->sp;

	if (path->frames == 0 || bounds->top - sp <= path->end_slot)
		return false;
	for (size_t i = 0; i < path->frames; i++)
		if (load(sp + path->slot[i]) != path->key[i])
			return false;
	if (in_library(load(sp + path->end_slot)))
		return false;
	place->key = path->key[path->frames - 1];
	place->sp = sp + path->slot[path->frames - 1] + sizeof(uintptr_t);
	if (path->fp_slot)
		place->fp = load(sp + path->fp_slot);
	return true;
}

/* From here to frame 0 by the rules, with the path of it. */
static bool path_walk(struct library_path *path, struct place *place,
		      const struct kma_bounds *bounds)
{
	struct place next = *place;
	uintptr_t sp = place->sp, fp_slot = 0, saved;
	bool fixed = true;

	*path = (struct library_path){ 0 };
	for (size_t i = 0;; i++) {
		uint64_t rule = kma_rule_find(next.key);

		*place = next;
		path->fp_slot = fp_slot;
		fixed &= kma_rule_kind(rule) == KMA_RULE_SP && i < PATH_FRAMES;
		if (!step(&next, rule, bounds, &saved))
			return false;
		if (!in_library(next.key))
			break;
		if (saved)
			fp_slot = saved - sp;
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

/* To the outermost frame of this library, which is frame 0. */
static bool leave_library(struct kma_trace *t, struct place *place,
			  const struct kma_bounds *bounds)
{
	for (unsigned i = 0; i < PATHS; i++)
		if (path_follow(&t->paths[i], place, bounds))
			return true;
	t->next_path = (t->next_path + 1) % PATHS;
	return path_walk(&t->paths[t->next_path], place, bounds);
}

/* As unwind.c has it: no rule and no frame pointer is the end as well. */
static bool is_end(uint64_t rule, const struct place *place)
{
	return kma_rule_kind(rule) == KMA_RULE_END ||
	       (kma_rule_kind(rule) == KMA_RULE_NONE && place->fp == 0);
}

/*
 * Walk until a frame of the last stack, or the end. walked is how many frames
 * are new; the result is the index of the first kept one, TRACE_MAX if none.
 * False: not a stack for the trace.
 */
static bool walk(struct kma_trace *t, struct place place,
		 const struct kma_bounds *bounds, size_t *walked, size_t *kept)
{
	size_t at = t->first, count = 0;
	int joins = 0;

	for (;;) {
		while (at < TRACE_MAX && t->sp[at] < place.sp)
			at++;
		if (at < TRACE_MAX && is_same_frame(t, at, &place)) {
			if (t->sp[TRACE_MAX - 1] <= bounds->top &&
			    is_intact(t, at))
				break;
			if (++joins == JOINS_MAX)
				at = TRACE_MAX;
		}
		if (count == TRACE_MAX)
			return false;
		uint64_t rule = kma_rule_find(place.key);
		struct trace_frame *frame = &t->walked[count];

		frame->sp = place.sp;
		frame->fp = place.fp;
		frame->by_fp = kma_rule_kind(rule) == KMA_RULE_FP ||
			       kma_rule_kind(rule) == KMA_RULE_NONE;
		t->walked_key[count++] = place.key;
		if (is_end(rule, &place)) {
			frame->fp_slot = 0;
			at = TRACE_MAX;
			break;
		}
		if (!step(&place, rule, bounds, &frame->fp_slot))
			return false;
	}
	*walked = count;
	*kept = at;
	return count <= at;
}

/* Put the new frames before the kept ones, from the outermost of them in. */
static void merge(struct kma_trace *t, size_t walked, size_t kept)
{
	uint64_t hash = kept < TRACE_MAX ? t->hash[kept] : KMA_STACK_HASH_SEED;
	bool needs_fp = kept < TRACE_MAX && t->needs_fp[kept];
	size_t at = kept;

	if (walked > 0 || kept != t->first)
		t->id = 0;
	while (walked-- > 0) {
		const struct trace_frame *frame = &t->walked[walked];

		at--;
		t->sp[at] = frame->sp;
		t->fp[at] = frame->fp;
		t->key[at] = t->walked_key[walked];
		t->fp_slot[at] = needs_fp ? frame->fp_slot : 0;
		t->any_fp_slot |= t->fp_slot[at] != 0;
		needs_fp = (needs_fp && !frame->fp_slot) || frame->by_fp;
		t->needs_fp[at] = needs_fp;
		hash = kma_stack_hash_step(hash, t->key[at]);
		t->hash[at] = hash;
	}
	t->first = at;
}

static bool capture(struct kma_trace *t, const struct kma_registers *here)
{
	struct place place = { here->column[KMA_COLUMN_PC] + 1,
			       here->column[KMA_COLUMN_SP],
			       here->column[KMA_COLUMN_FP] };
	const struct kma_bounds bounds = kma_bounds_find(place.sp);
	uint32_t generation =
		__atomic_load_n(&kma_rule_generation, __ATOMIC_ACQUIRE);
	size_t walked, kept;

	if (t->generation != generation)
		t->first = TRACE_MAX;
	t->generation = generation;
	if (t->first == TRACE_MAX)
		t->any_fp_slot = false;
	if (!leave_library(t, &place, &bounds) ||
	    !walk(t, place, &bounds, &walked, &kept)) {
		t->first = TRACE_MAX;
		t->rest = REST;
		return false;
	}
	merge(t, walked, kept);
	return true;
}

bool kma_trace_acquire(struct kma_thread *self, struct kma_trace_stack *ret)
{
	struct kma_trace *t = trace_of(self);
	struct kma_registers here;

	if (!t || t->busy)
		return false;
	if (t->rest > 0) {
		t->rest--;
		return false;
	}
	t->busy = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	kma_arch_registers(&here);
	if (!capture(t, &here)) {
		kma_trace_release(self);
		return false;
	}
	*ret = (struct kma_trace_stack){ .key = &t->key[t->first],
					 .depth = TRACE_MAX - t->first,
					 .hash = t->hash[t->first],
					 .id = &t->id };
	return true;
}

void kma_trace_release(struct kma_thread *self)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	self->trace->busy = 0;
}

void kma_trace_discard(struct kma_thread *thread)
{
	struct kma_trace *trace = thread->trace;

	thread->trace = NULL;
	if (trace)
		kma_meta_free(trace, sizeof(*trace));
}
