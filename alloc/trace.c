/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Most of a thread's stack is what it was at its last allocation. So that one
 * is kept (and that of the last free, as the two take turns), and the next walk
 * goes only as far as it must: trace_kept.h. Serial of the kept part and the
 * few new frames are what the memo finds a stack's depot id by, exactly,
 * without a look at the depot.
 *
 * A stack that cannot be kept, as it has a signal frame, a guess or a frame
 * that needs its whole row, empties the trace, and the next few captures do
 * without. busy keeps a signal handler out that comes while the trace is being
 * changed or read.
 */
#include "alloc/trace.h"

#include "alloc/meta.h"
#include "alloc/stack.h"
#include "alloc/thread.h"
#include "alloc/trace_kept.h"

enum { REST = 16, MEMO_SETS = 128, MEMO_FRAMES = 5 };

/* A stack by how it was made: frames put on a kept part, and its id. */
struct memo {
	uint64_t serial;
	size_t count;
	uint64_t key[MEMO_FRAMES];
	uint32_t id; /* in the depot; 0 not known */
};

struct kma_trace {
	uint32_t busy;
	uint32_t rest; /* captures to sit out */
	struct kma_kept kept[KMA_STACK_USES];
	struct kma_paths paths[KMA_STACK_USES];
	struct memo memo[MEMO_SETS];
	struct kma_walked walked;
};

static struct kma_trace *trace_of(struct kma_thread *self)
{
	if (self->trace || kma_thread_nested(self))
		return self->trace;
	self->trace = kma_meta_alloc(sizeof(*self->trace));
	for (unsigned i = 0; self->trace && i < KMA_STACK_USES; i++)
		kma_kept_forget(&self->trace->kept[i]);
	return self->trace;
}

/* --- the memo --------------------------------------------------------------
 */

static struct memo *memo_of(struct kma_trace *t, const struct kma_kept *k)
{
	return &t->memo[k->frame[k->first].hash % MEMO_SETS];
}

static uint32_t memo_recall(struct kma_trace *t, const struct kma_kept *k)
{
	const struct memo *memo = memo_of(t, k);
	uint64_t wrong = (memo->serial ^ k->serial) | (memo->count ^ k->count);

	if (k->count > MEMO_FRAMES)
		return 0;
	for (size_t i = 0; i < k->count; i++)
		wrong |= memo->key[i] ^ k->key[k->first + i];
	return wrong ? 0 : memo->id;
}

static void memo_put(struct kma_trace *t, const struct kma_kept *k)
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

/* --- capturing -------------------------------------------------------------
 */

/* Not known to be the stack of last time. */
static bool acquire_another(struct kma_trace *t, enum kma_stack_use use,
			    const struct kma_place *here)
{
	const struct kma_bounds bounds = kma_bounds_find(here->sp);
	struct kma_kept *k = &t->kept[use];
	struct kma_place zero = *here;
	const struct kma_path *path =
		kma_path_leave(&t->paths[use], &zero, &bounds);
	bool changed;

	if (!path ||
	    !kma_kept_update(k, &t->walked, &zero, &bounds, &changed)) {
		kma_kept_forget(k);
		t->rest = REST;
		return false;
	}
	if (changed)
		k->id = memo_recall(t, k);
	kma_kept_note_path(k, path, here, &zero);
	return true;
}

static bool acquire(struct kma_trace *t, const struct kma_thread *self,
		    enum kma_stack_use use, const struct kma_place *here)
{
	return kma_kept_is_repeated(&t->kept[use], self, here) ||
	       acquire_another(t, use, here);
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

static void tell(const struct kma_kept *k, struct kma_trace_stack *ret)
{
	ret->key = &k->key[k->first];
	ret->depth = KMA_KEPT_MAX - k->first;
	ret->hash = k->frame[k->first].hash;
	ret->id = k->id;
}

bool kma_trace_acquire(struct kma_thread *self, enum kma_stack_use use,
		       struct kma_trace_stack *ret)
{
	struct kma_trace *t = trace_of(self);
	struct kma_place here = place_here();

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
	       const struct kma_place *here)
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
	struct kma_place here = place_here();
	uint32_t id = 0;

	if (__builtin_expect(t && !t->busy && t->rest == 0, 1)) {
		t->busy = 1;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		if (kma_kept_is_repeated(&t->kept[use], self, &here))
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
