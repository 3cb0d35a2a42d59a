/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread's stacks come again: one that was seen is guessed, and known if all
 * that it was read from is as it was (trace_seen.h).
 *
 * Else most of it is what it was at the last allocation. So that one is kept
 * (and that of the last free, as the two take turns), and the next walk goes
 * only as far as it must: trace_kept.h. Its hash comes with it, by which a
 * thread remembers names of stacks that it met, without a look at the depot.
 *
 * A stack that cannot be kept, as it has a signal frame, a guess or a frame
 * that needs its whole row, empties the trace, and the next few captures do
 * without. busy keeps a signal handler out that comes while the trace is being
 * changed or read.
 */
#include "alloc/trace.h"

#include "alloc/lock.h"
#include "alloc/meta.h"
#include "alloc/stack.h"
#include "alloc/thread.h"
#include "alloc/trace_kept.h"
#include "alloc/trace_seen.h"

enum {
	REST = 16,
	NAMES_BITS = 8, /* of lines: 16 KiB, to stay in the first cache */
};

struct kma_trace {
	uint32_t busy;
	uint32_t rest;          /* captures to sit out */
	struct kma_trace *next; /* among those of threads that have ended */
	uintptr_t stack_top;    /* of the last of those */
	struct kma_kept kept[KMA_STACK_KINDS];
	struct kma_paths paths[KMA_STACK_USES];
	struct kma_names names[1 << NAMES_BITS]; /* next: the one to go */
	struct kma_seen_table seen;
	struct kma_begin begin; /* of the last walk */
	struct kma_walk walk;   /* that one */
};

/* Those of threads that have ended. The lock is never waited for, as who comes
 * here may hold any other; a child of a fork may find it held for ever, and
 * does without. */
static struct kma_lock spare_lock;
static struct kma_trace *spare;

static struct kma_trace *take_spare(void)
{
	struct kma_trace *t;

	if (!kma_lock_try(&spare_lock))
		return NULL;
	t = spare;
	if (t)
		spare = t->next;
	kma_lock_release(&spare_lock);
	return t;
}

/* What was read from the stack of another is of no use, and its memory gone.
 * But libc gives a new thread the stack of one that ended, where threads come
 * and go: then what was seen there comes again. */
static void settle(struct kma_trace *t, const struct kma_thread *self)
{
	if (self->stack_top && t->stack_top == self->stack_top)
		return;
	for (unsigned i = 0; i < KMA_STACK_KINDS; i++)
		kma_kept_forget(&t->kept[i]);
	kma_seen_forget(&t->seen);
}

/* One that another thread had is as good: names and ways are those of all. */
static struct kma_trace *trace_of(struct kma_thread *self)
{
	struct kma_trace *t;

	if (self->trace || kma_thread_nested(self))
		return self->trace;
	t = take_spare();
	if (!t)
		t = kma_meta_alloc(sizeof(*t));
	if (!t)
		return NULL;
	settle(t, self);
	t->busy = t->rest = 0;
	self->trace = t;
	return t;
}

/* --- capturing -------------------------------------------------------------
 */

static struct kma_names *names_of(struct kma_trace *t, uint64_t hash)
{
	return &t->names[hash >> (64 - NAMES_BITS)];
}

static void remember(struct kma_names *names, uint64_t hash, uint32_t id)
{
	uint32_t at = names->next;

	if (id == 0) /* the depot was full */
		return;
	names->hash[at] = hash;
	names->id[at] = id;
	names->next = at + 1 < KMA_NAMES_EACH ? at + 1 : 0;
}

static struct kma_kept *kept_of(struct kma_trace *t, unsigned use)
{
	return &t->kept[use % KMA_STACK_KINDS];
}

/* Walked, as far as it must be. False: not a stack that can be kept. */
static bool acquire(struct kma_trace *t, const struct kma_thread *self,
		    enum kma_stack_use use, const struct kma_place *here)
{
	const struct kma_kept *other = kept_of(t, use + 1);
	struct kma_kept *k = kept_of(t, use);
	struct kma_begin *begin = &t->begin;
	uint64_t before = k->hash;

	if (!kma_bounds_own(self, here->sp, &begin->bounds))
		begin->bounds = kma_bounds_find(here->sp);
	begin->here = *here;
	begin->path = kma_path_leave(&t->paths[use], here, &begin->bounds,
				     &begin->zero);
	if (!begin->path || !kma_kept_update(k, other, &t->walk, &begin->zero,
					     &begin->bounds)) {
		kma_kept_forget(k);
		t->rest = REST;
		return false;
	}
	if (k->hash != before)
		k->id = kma_names_find(names_of(t, k->hash), k->hash);
	if (k->id == 0)
		kma_depot_foresee(k->hash);
	return true;
}

/* Of the function this is inlined into: interrupted, so to speak, here. */
__attribute__((always_inline)) static inline struct kma_place place_here(void)
{
	struct kma_place here;

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

static void tell(struct kma_trace *t, const struct kma_kept *k,
		 struct kma_trace_stack *ret)
{
	struct kma_walk *walk = &t->walk;

	for (size_t i = walk->at; i < KMA_KEPT_MAX; i++)
		walk->key[walk->count + i - walk->at] = k->frame[i].key;
	*ret = (struct kma_trace_stack){ .key = walk->key,
					 .depth = k->depth,
					 .hash = k->hash,
					 .id = k->id };
}

/* A stack that was seen is in the depot. */
static void tell_seen(uint32_t id, struct kma_trace_stack *ret)
{
	const struct kma_stack *stack = kma_stack_get(id);

	*ret = (struct kma_trace_stack){ .key = stack->pc,
					 .depth = stack->depth,
					 .hash = stack->hash,
					 .id = id };
}

bool kma_trace_acquire(struct kma_thread *self, enum kma_stack_use use,
		       struct kma_trace_stack *ret)
{
	struct kma_trace *t = trace_of(self);
	struct kma_place here = place_here();
	uint32_t id;

	if (!take(t))
		return false;
	id = kma_seen_find(&t->seen, self, &here, use);
	if (!id)
		id = kma_seen_find_second(&t->seen, self, &here, use);
	if (id) {
		tell_seen(id, ret);
		return true;
	}
	if (!acquire(t, self, use, &here)) {
		release(t);
		return false;
	}
	tell(t, kept_of(t, use), ret);
	return true;
}

void kma_trace_name(struct kma_thread *self, enum kma_stack_use use,
		    uint32_t id)
{
	struct kma_trace *t = self->trace;
	struct kma_kept *k = kept_of(t, use);

	k->id = id;
	remember(names_of(t, k->hash), k->hash, id);
	kma_seen_put(&t->seen, self, k, &t->walk, &t->begin, use);
}

void kma_trace_release(struct kma_thread *self)
{
	release(self->trace);
}

/* The id of the stack, or of as much of it as is asked for. */
static uint32_t intern(struct kma_trace *t, const struct kma_kept *k)
{
	size_t depth = k->depth, limit = kma_stack_limit();
	struct kma_trace_stack stack;
	uint32_t id = depth <= limit ? kma_depot_find(k->hash) : 0;

	if (id)
		return id;
	tell(t, k, &stack);
	if (depth > limit)
		return kma_depot_intern(kma_stack_hash(stack.key, limit),
					stack.key, limit, KMA_STACK_TRUNCATED);
	return kma_depot_intern(stack.hash, stack.key, depth, 0);
}

/* It is not the stack that was guessed first. */
__attribute__((noinline)) static uint32_t
intern_another(struct kma_thread *self, enum kma_stack_use use,
	       const struct kma_place *here)
{
	struct kma_trace *t = self ? trace_of(self) : NULL;
	struct kma_kept *k;
	uint32_t id;

	if (!take(t))
		return kma_stack_intern_walked();
	id = kma_seen_find_second(&t->seen, self, here, use);
	if (id) {
		release(t);
		return id;
	}
	if (!acquire(t, self, use, here)) {
		release(t);
		return kma_stack_intern_walked();
	}
	k = kept_of(t, use);
	id = k->id;
	if (__builtin_expect(id == 0, 0)) {
		id = intern(t, k);
		kma_trace_name(self, use, id);
	} else {
		kma_seen_put(&t->seen, self, k, &t->walk, &t->begin, use);
	}
	release(t);
	return id;
}

uint32_t kma_stack_intern(enum kma_stack_use use)
{
	struct kma_thread *self = kma_self;
	struct kma_trace *t = self ? self->trace : NULL;
	struct kma_place here = place_here();
	uint32_t id = 0;

	if (__builtin_expect(t && !t->busy && t->rest == 0, 1)) {
		t->busy = 1;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		id = kma_seen_find(&t->seen, self, &here, use);
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
		trace->stack_top = thread->stack_top;
	if (trace && kma_lock_try(&spare_lock)) {
		trace->next = spare;
		spare = trace;
		kma_lock_release(&spare_lock);
	} else if (trace) {
		kma_meta_free(trace, sizeof(*trace));
	}
}
