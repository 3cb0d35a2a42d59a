/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Most of a thread's stack is what it was at its last allocation. So that one
 * is kept (and that of the last free, as the two take turns), outermost frame
 * last at the end of an array, and the next walk goes only as far as it must:
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
 * there already. So is its name: each frame gets a serial number when it is
 * put into the array, which stands for it and all that is outside it until
 * another takes its place. Serial of the kept part and the few new frames are
 * what the memo finds a stack's depot id by, exactly, without a look at the
 * depot.
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
enum { PATHS = 4, PATH_FRAMES = 12 };
enum { CHECK_MAX = 2 * TRACE_MAX + PATH_FRAMES + 1 };
enum { MEMO_SETS = 128, MEMO_FRAMES = 5 };

/*
 * A way out of this library, to frame 0 and its caller, in distances from the
 * sp it starts at. There are few, one for each kind of call, and all are of
 * rules by sp: where the same return addresses lie in the same slots, the
 * frames are the same.
 */
struct library_path {
	size_t frames; /* 0: not known yet */
	uintptr_t slot[PATH_FRAMES], key[PATH_FRAMES];
	uintptr_t fp_slot;     /* where frame 0's fp was saved; 0: nowhere */
	uintptr_t end_slot;    /* of frame 0's return address */
	uintptr_t end_fp_slot; /* where frame 0 saved fp; 0: nowhere */
};

/* A frame of the last stack. */
struct trace_frame {
	uintptr_t sp, fp;
	uint64_t hash;   /* of it and all outside it */
	uint64_t serial; /* so is this */
	uint32_t check;  /* index of the first that is further out */
	bool needs_fp;   /* it or an outer frame is found by this fp */
};

/* A frame newly walked. */
struct new_frame {
	uintptr_t key, sp, fp;
	uintptr_t fp_slot; /* where leaving the frame loads fp from; 0 not */
	bool by_fp;        /* its CFA is found by fp */
};

/* What a slot must hold for the frames outside it to be as they were. */
struct check {
	uintptr_t slot;
	uint64_t value;
};

/* A stack by how it was made: frames put on a kept part, and its id. */
struct memo {
	uint64_t serial;
	size_t count;
	uint64_t key[MEMO_FRAMES];
	uint32_t id; /* in the depot; 0 not known */
};

/* A stack kept, outermost frame last. */
struct kept_stack {
	size_t first; /* index of the innermost frame; TRACE_MAX: empty */
	uint32_t generation; /* of the rules it was walked by */
	uint32_t id;         /* in the depot; 0 not known */
	/* How it was made, for the memo. */
	uint64_t serial;
	size_t count;
	/* Where it was captured from, and where its checks begin: with those
	 * of the way out of this library. */
	uintptr_t sp, fp;
	uint32_t check_first;
	bool needs_fp; /* that fp is a frame's, as no slot holds it */
	uint64_t key[TRACE_MAX];
	struct trace_frame frame[TRACE_MAX];
	struct check check[CHECK_MAX];
};

struct kma_trace {
	uint32_t busy;
	uint32_t rest; /* captures to sit out */
	uint64_t last_serial;
	struct kept_stack kept[KMA_STACK_USES];
	struct library_path path[KMA_STACK_USES][PATHS];
	unsigned next_path; /* to be forgotten */
	struct memo memo[MEMO_SETS];
	struct new_frame walked[TRACE_MAX]; /* innermost first */
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
	for (unsigned i = 0; self->trace && i < KMA_STACK_USES; i++)
		self->trace->kept[i].first = TRACE_MAX;
	return self->trace;
}

static uintptr_t load(uintptr_t address)
{
	return *(const uintptr_t *)address;
}

static uint64_t wrong_at(const struct check *check)
{
	return load(check->slot) ^ check->value;
}

/*
 * Does every slot from this check on hold what it did? What differs most often
 * differs near the inner end.
 */
static inline bool is_intact(const struct kept_stack *k, uint32_t first)
{
	const struct check *check = &k->check[first];
	const struct check *end = k->check + CHECK_MAX;
	uint64_t wrong = 0;

	for (; end - check >= 4; check += 4)
		if (wrong_at(check) | wrong_at(check + 1) |
		    wrong_at(check + 2) | wrong_at(check + 3))
			return false;
	for (; check < end; check++)
		wrong |= wrong_at(check);
	return wrong == 0;
}

static bool is_same_frame(const struct kept_stack *k, size_t at,
			  const struct place *place)
{
	const struct trace_frame *frame = &k->frame[at];

	return frame->sp == place->sp && k->key[at] == place->key &&
	       (!frame->needs_fp || frame->fp == place->fp);
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
		place->fp = load(*fp_slot);
	}
	place->key = load(cfa - sizeof(uintptr_t));
	place->sp = cfa;
	return place->key != 0;
}

/* --- the way out of this library ------------------------------------------ */

static bool in_library(uintptr_t pc)
{
	return pc - kma_root.text_base < kma_root.text_end - kma_root.text_base;
}

/* Is it this way out of the frame whose sp this is? */
static inline bool path_leads(const struct library_path *path, uintptr_t sp,
			      const struct kma_bounds *bounds)
{
	if (path->frames == 0 || bounds->top - sp <= path->end_slot)
		return false;
	for (size_t i = 0; i < path->frames; i++)
		if (load(sp + path->slot[i]) != path->key[i])
			return false;
	return !in_library(load(sp + path->end_slot));
}

/* From here to frame 0, which is outermost of this library. */
static inline void path_follow(const struct library_path *path,
			       struct place *place)
{
	uintptr_t sp = place->sp;

	place->key = path->key[path->frames - 1];
	place->sp = sp + path->slot[path->frames - 1] + sizeof(uintptr_t);
	if (path->fp_slot)
		place->fp = load(sp + path->fp_slot);
}

/* The same by the rules, to find the path. */
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

/* To the outermost frame of this library, which is frame 0; the way there. */
static const struct library_path *leave_library(struct kma_trace *t,
						enum kma_stack_use use,
						struct place *place,
						const struct kma_bounds *bounds)
{
	struct library_path *path = t->path[use];

	for (unsigned i = 0; i < PATHS; i++)
		if (path_leads(&path[i], place->sp, bounds)) {
			path_follow(&path[i], place);
			return &path[i];
		}
	t->next_path = (t->next_path + 1) % PATHS;
	path += t->next_path;
	return path_walk(path, place, bounds) ? path : NULL;
}

/* --- the stack -------------------------------------------------------------
 */

/* As unwind.c has it: no rule and no frame pointer is the end as well. */
static bool is_end(uint64_t rule, const struct place *place)
{
	return kma_rule_kind(rule) == KMA_RULE_END ||
	       (kma_rule_kind(rule) == KMA_RULE_NONE && place->fp == 0);
}

/*
 * Walk until a frame of the kept stack, or the end. *walked is how many frames
 * are new; the result is the index of the first kept one, TRACE_MAX if none.
 * False: not a stack for the trace.
 */
static bool walk(struct kma_trace *t, const struct kept_stack *k,
		 struct place place, const struct kma_bounds *bounds,
		 size_t *walked, size_t *kept)
{
	size_t at = k->first, count = 0;
	int joins = 0;

	for (;;) {
		while (at < TRACE_MAX && k->frame[at].sp < place.sp)
			at++;
		if (at < TRACE_MAX && is_same_frame(k, at, &place)) {
			if (is_intact(k, k->frame[at].check))
				break;
			if (++joins == JOINS_MAX)
				at = TRACE_MAX;
		}
		if (count == TRACE_MAX)
			return false;
		uint64_t rule = kma_rule_find(place.key);
		struct new_frame *frame = &t->walked[count++];

		frame->key = place.key;
		frame->sp = place.sp;
		frame->fp = place.fp;
		frame->fp_slot = 0;
		frame->by_fp = kma_rule_kind(rule) == KMA_RULE_FP ||
			       kma_rule_kind(rule) == KMA_RULE_NONE;
		if (is_end(rule, &place)) {
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

/* Put a new frame before the one at index at + 1. */
static void put(struct kept_stack *k, size_t at, const struct new_frame *new,
		uint64_t serial)
{
	const struct trace_frame *caller = &k->frame[at + 1];
	struct trace_frame *frame = &k->frame[at];
	uint64_t hash = KMA_STACK_HASH_SEED;
	uint32_t check = CHECK_MAX;
	bool needs_fp = false;

	if (at + 1 < TRACE_MAX) {
		hash = caller->hash;
		needs_fp = caller->needs_fp;
		check = caller->check - 1;
		k->check[check].slot = caller->sp - sizeof(uintptr_t);
		k->check[check].value = k->key[at + 1];
		if (needs_fp && new->fp_slot)
			k->check[--check] =
				(struct check){ new->fp_slot, caller->fp };
	}
	k->key[at] = new->key;
	frame->sp = new->sp;
	frame->fp = new->fp;
	frame->hash = kma_stack_hash_step(hash, new->key);
	frame->serial = serial;
	frame->check = check;
	frame->needs_fp = (needs_fp && !new->fp_slot) || new->by_fp;
}

static struct memo *memo_of(struct kma_trace *t, const struct kept_stack *k)
{
	return &t->memo[k->frame[k->first].hash % MEMO_SETS];
}

static uint32_t memo_recall(struct kma_trace *t, const struct kept_stack *k)
{
	const struct memo *memo = memo_of(t, k);
	uint64_t wrong = (memo->serial ^ k->serial) | (memo->count ^ k->count);

	if (k->count > MEMO_FRAMES)
		return 0;
	for (size_t i = 0; i < k->count; i++)
		wrong |= memo->key[i] ^ k->key[k->first + i];
	return wrong ? 0 : memo->id;
}

static void memo_put(struct kma_trace *t, const struct kept_stack *k)
{
	struct memo *memo = memo_of(t, k);

	if (k->count > MEMO_FRAMES)
		return;
	memo->serial = k->serial;
	memo->count = k->count;
	for (size_t i = 0; i < k->count; i++)
		memo->key[i] = k->key[k->first + i];
	memo->id = k->id;
}

/* Put the new frames before the kept ones, from the outermost of them in. */
static void merge(struct kma_trace *t, struct kept_stack *k, size_t walked,
		  size_t kept)
{
	k->serial = kept < TRACE_MAX ? k->frame[kept].serial : 0;
	k->count = walked;
	k->first = kept - walked;
	for (size_t i = walked; i > 0; i--)
		put(k, k->first + i - 1, &t->walked[i - 1], ++t->last_serial);
	k->id = memo_recall(t, k);
}

/*
 * Put the slots of the way out before those of the stack, so that the next
 * capture from here need not look for either.
 */
static void note_path(struct kept_stack *k, const struct library_path *path,
		      const struct place *here, const struct place *zero)
{
	uint32_t check = k->frame[k->first].check;
	bool needs_fp = k->frame[k->first].needs_fp;

	for (size_t i = path->frames; i > 0; i--)
		k->check[--check] =
			(struct check){ here->sp + path->slot[i - 1],
					path->key[i - 1] };
	if (needs_fp && path->fp_slot)
		k->check[--check] =
			(struct check){ here->sp + path->fp_slot, zero->fp };
	k->check_first = check;
	k->sp = path->frames ? here->sp : 0;
	k->fp = here->fp;
	k->needs_fp = needs_fp && !path->fp_slot;
}

/* Is it the stack of last time, captured from the same place? */
static inline bool is_repeated(const struct kept_stack *k,
			       const struct kma_thread *self,
			       const struct place *here)
{
	return k->sp == here->sp && k->sp >= self->stack_low &&
	       k->frame[TRACE_MAX - 1].sp <= self->stack_top &&
	       k->generation == __atomic_load_n(&kma_rule_generation,
						__ATOMIC_ACQUIRE) &&
	       (!k->needs_fp || k->fp == here->fp) &&
	       is_intact(k, k->check_first);
}

static bool capture(struct kma_trace *t, enum kma_stack_use use,
		    const struct place *here, const struct kma_bounds *bounds)
{
	uint32_t generation =
		__atomic_load_n(&kma_rule_generation, __ATOMIC_ACQUIRE);
	struct kept_stack *k = &t->kept[use];
	struct place zero = *here;
	size_t walked, kept;

	/* Rules that changed are of no use, and neither is another stack. */
	if (k->generation != generation ||
	    k->frame[TRACE_MAX - 1].sp > bounds->top)
		k->first = TRACE_MAX;
	k->generation = generation;

	const struct library_path *path = leave_library(t, use, &zero, bounds);

	if (!path || !walk(t, k, zero, bounds, &walked, &kept))
		return false;
	if (walked > 0 || kept != k->first)
		merge(t, k, walked, kept);
	note_path(k, path, here, &zero);
	return true;
}

/* Not known to be the stack of last time. */
static bool acquire_another(struct kma_trace *t, enum kma_stack_use use,
			    const struct place *here)
{
	const struct kma_bounds bounds = kma_bounds_find(here->sp);
	struct kept_stack *k = &t->kept[use];

	if (capture(t, use, here, &bounds))
		return true;
	k->first = TRACE_MAX;
	k->sp = 0;
	t->rest = REST;
	return false;
}

static bool acquire(struct kma_trace *t, const struct kma_thread *self,
		    enum kma_stack_use use, const struct place *here)
{
	return is_repeated(&t->kept[use], self, here) ||
	       acquire_another(t, use, here);
}

/* Of the function this is inlined into: interrupted, so to speak, here. */
__attribute__((always_inline)) static inline struct place place_here(void)
{
	struct place here;

	kma_arch_here(&here.key, &here.sp, &here.fp);
	here.key++;
	return here;
}

/* The trace is the caller's until it is released. False: do without. */
static bool take(struct kma_trace *t)
{
	if (!t || t->busy)
		return false;
	if (t->rest > 0) {
		t->rest--;
		return false;
	}
	t->busy = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return true;
}

static void release(struct kma_trace *t)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->busy = 0;
}

static void tell(const struct kept_stack *k, struct kma_trace_stack *ret)
{
	ret->key = &k->key[k->first];
	ret->depth = TRACE_MAX - k->first;
	ret->hash = k->frame[k->first].hash;
	ret->id = k->id;
}

bool kma_trace_acquire(struct kma_thread *self, enum kma_stack_use use,
		       struct kma_trace_stack *ret)
{
	struct kma_trace *t = trace_of(self);
	struct place here = place_here();

	if (!take(t))
		return false;
	if (!acquire(t, self, use, &here)) {
		release(t);
		return false;
	}
	tell(&t->kept[use], ret);
	return true;
}

void kma_trace_name(struct kma_thread *self, enum kma_stack_use use,
		    uint32_t id)
{
	struct kma_trace *t = self->trace;

	t->kept[use].id = id;
	memo_put(t, &t->kept[use]);
}

void kma_trace_release(struct kma_thread *self)
{
	release(self->trace);
}

static uint32_t intern(const struct kma_trace_stack *stack)
{
	size_t limit = kma_stack_limit();

	if (stack->depth > limit)
		return kma_depot_intern(kma_stack_hash(stack->key, limit),
					stack->key, limit, KMA_STACK_TRUNCATED);
	return kma_depot_intern(stack->hash, stack->key, stack->depth, 0);
}

/* It is not the stack of last time, or not known by a name yet. */
__attribute__((noinline)) static uint32_t
intern_another(struct kma_thread *self, enum kma_stack_use use,
	       const struct place *here)
{
	struct kma_trace *t = self ? trace_of(self) : NULL;
	struct kma_trace_stack stack;

	if (!take(t))
		return kma_stack_intern_walked();
	if (!acquire_another(t, use, here)) {
		release(t);
		return kma_stack_intern_walked();
	}
	tell(&t->kept[use], &stack);
	if (stack.id == 0) {
		stack.id = intern(&stack);
		kma_trace_name(self, use, stack.id);
	}
	release(t);
	return stack.id;
}

uint32_t kma_stack_intern(enum kma_stack_use use)
{
	struct kma_thread *self = kma_self;
	struct kma_trace *t = self ? self->trace : NULL;
	struct place here = place_here();
	uint32_t id = 0;

	if (__builtin_expect(t && !t->busy && t->rest == 0, 1)) {
		t->busy = 1;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		if (is_repeated(&t->kept[use], self, &here))
			id = t->kept[use].id;
		release(t);
	}
	return __builtin_expect(id != 0, 1) ? id
					    : intern_another(self, use, &here);
}

void kma_trace_discard(struct kma_thread *thread)
{
	struct kma_trace *trace = thread->trace;

	thread->trace = NULL;
	if (trace)
		kma_meta_free(trace, sizeof(*trace));
}
