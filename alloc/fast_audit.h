/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tier audit does most, in line and in one piece: a round out of or into
 * the thread's magazines, of one of malloc's classes, in a plain cell (cell.h),
 * nothing out of the ordinary with thread, buffer or bytes. All that audit.c
 * and magazine.c do about such a buffer is done here, in the same order.
 *
 * Everything that can be wrong is looked at before anything is changed, so that
 * whatever is not that common case, damage before all, goes the slow way, which
 * looks again and reports.
 */
#ifndef ALLOC_FAST_AUDIT_H
#define ALLOC_FAST_AUDIT_H

#include "alloc/cell.h"
#include "alloc/clock.h"
#include "alloc/fast_kernel.h"
#include "alloc/fork.h"
#include "alloc/log.h"
#include "alloc/pristine.h"
#include "alloc/stack.h"

enum {
	FAST_CLASS_AUDIT = FAST_CLASS_OFF | KMA_TIER_AUDIT
						    << KMA_PAGE_TIER_SHIFT,
};

/* Of a round on the way: where it lies and what is known of it. */
struct fast_round {
	uintptr_t start;
	const struct kma_slab *slab;
	struct kma_bufctl *bufctl;
};

/* In a child that no handler of ours has seen begin? */
KMA_FAST bool fast_is_forked(void)
{
	return *kma_fork_mark == 0;
}

KMA_FAST struct fast_round
fast_round_at(const void *p, const struct kma_slab *slab, uint64_t index)
{
	return (struct fast_round){
		.start = (uintptr_t)p,
		.slab = slab,
		.bufctl = &slab->bufctls[index],
	};
}

/* Of what came out of a magazine, which is a buffer's start. */
KMA_FAST struct fast_round fast_round_of(const void *p)
{
	const struct kma_slab *slab =
		fast_slab(kma_pages_lookup_known((uintptr_t)p));
	unsigned __int128 quotient =
		kma_slab_divide(slab, (uintptr_t)p - slab->origin);

	return fast_round_at(p, slab, (uint64_t)(quotient >> 64));
}

/* What checking and filling it will touch is fetched meanwhile. */
KMA_FAST void fast_foresee(struct fast_round round)
{
	enum { LINE = 64, AHEAD_MAX = 512 }; /* then the hardware has seen it */
	uintptr_t at = round.start - KMA_CANARY_SIZE;
	uintptr_t last = at + round.slab->stride - 1;

	__builtin_prefetch(round.bufctl, 1);
	__builtin_prefetch((const char *)(round.bufctl + 1) - 1, 1);
	__builtin_prefetch((const void *)at, 1);
	__builtin_prefetch((const void *)last, 1);
	if (__builtin_expect(last - at > 2 * LINE, 0))
		for (last = at + AHEAD_MAX < last ? at + AHEAD_MAX : last;
		     (at += LINE) < last;)
			__builtin_prefetch((const void *)at, 1);
}

KMA_FAST void fast_set_word(struct fast_round round, uint64_t word)
{
	__atomic_store_n(&round.bufctl->word, word, __ATOMIC_RELEASE);
}

/*
 * A buffer comes out of quarantine long after anyone touched it: by the time
 * one is dressed, its lines are here. Where they lie is told by page map and
 * slab, which in a large heap is a wait of its own: so it is not the allocation
 * that took a buffer who asks for the lines of the one after next, but the call
 * that comes then, if it frees: that one waits for memory anyway. Where it
 * allocates, many will, and each asks at once, as the next comes soon.
 */
static const struct kma_magset fast_nowhere;

/* below: of hot. */
KMA_FAST void fast_look_ahead(const struct kma_magset *set, ptrdiff_t below)
{
	if (set->hot && set->top - set->loaded->round >= below)
		fast_foresee(fast_round_of(set->top[-below]));
}

KMA_FAST void fast_look_ahead_freeing(struct kma_thread *self)
{
	const struct kma_magset *set = self->look_ahead;

	if (!set)
		return;
	self->look_ahead = NULL;
	fast_look_ahead(set, 1);
}

/* Before hot is taken from set. */
KMA_FAST void fast_look_ahead_taking(struct kma_thread *self,
				     const struct kma_magset *set)
{
	const struct kma_magset *last = self->look_ahead;

	self->look_ahead = set;
	if (__builtin_expect(!last, 1))
		return;
	self->look_ahead = &fast_nowhere;
	fast_look_ahead(last, 1);
	fast_look_ahead(set, 2);
}

/* --- taking -----------------------------------------------------------------
 */

enum {
	/* Of a word, all but family, size, and whether it is ignored. */
	FAST_STATE_AND_OFFSET =
		KMA_BUFCTL_STATE_MASK << KMA_BUFCTL_STATE_SHIFT |
		KMA_BUFCTL_OFFSET_MASK << KMA_BUFCTL_OFFSET_SHIFT,
};

/* Does the redzone of a request of that size end with its cell? In small cells
 * any does. */
KMA_FAST bool fast_is_short(size_t stride, size_t size)
{
	return __builtin_expect(stride <= KMA_GUARD_MAX, 1) ||
	       kma_plain_is_short(stride, size);
}

/* Is it as the last free left it, or was it never handed out? */
KMA_FAST bool fast_is_intact(struct fast_round round, uint64_t word)
{
	size_t stride = round.slab->stride, size = kma_word_size(word);

	if (__builtin_expect(word == 0, 0)) /* KMA_BUFFER_NEVER */
		return !round.slab->pristine ||
		       kma_pristine_is_whole(round.start, stride);
	return __builtin_expect(
		       (word & FAST_STATE_AND_OFFSET) == KMA_BUFFER_FREE, 1) &&
	       __builtin_expect(fast_is_short(stride, size), 1) &&
	       __builtin_expect(
		       (kma_fill_wrong(round.start,
				       kma_cell_free_filled(round.slab, size),
				       KMA_FILL_FREE) |
			kma_plain_guards_wrong(round.start, stride, size)) == 0,
		       1);
}

/* What a guard holds depends on nothing but where it is: what the last request
 * had is there. */
KMA_FAST void fast_set_guards(struct fast_round round, uint64_t before,
			      size_t size)
{
	uintptr_t end = kma_plain_redzone_end(round.start, round.slab->stride);

	if (__builtin_expect(before == 0, 0))
		kma_guard_set_words(round.start - KMA_CANARY_SIZE, round.start);
	else if (size >= kma_word_size(before))
		return;
	kma_guard_set_words(round.start + size, end);
}

KMA_FAST void fast_record_alloc(struct kma_thread *self,
				struct fast_round round, size_t size)
{
	struct kma_bufctl *bufctl = round.bufctl;

	bufctl->alloc_time = kma_clock_now();
	bufctl->alloc_thread = self->tid;
	bufctl->alloc_stack = kma_stack_intern(KMA_STACK_OF_FAST_ALLOC);
	if (__builtin_expect(kma_log_any, 0))
		kma_log_transaction(KMA_OP_ALLOC, bufctl->alloc_time,
				    round.start, size, bufctl->alloc_stack,
				    round.slab->cache->index);
}

/* is_sample: the next one of the set is far away. */
KMA_FAST void *fast_take_audit(struct kma_thread *self, struct kma_magset *set,
			       size_t size, enum kma_family family, bool zero,
			       bool is_sample)
{
	if (__builtin_expect(!set->hot, 0))
		return NULL;

	struct fast_round round = fast_round_of(set->hot);
	uint64_t before =
		__atomic_load_n(&round.bufctl->word, __ATOMIC_ACQUIRE);
	uint64_t word = kma_word_make(KMA_BUFFER_CHANGING, family, 0, size);

	if (!fast_is_short(round.slab->stride, size) ||
	    !fast_is_intact(round, before))
		return NULL;
	if (!is_sample)
		fast_look_ahead_taking(self, set);
	kma_magset_drop(set);
	fast_set_word(round, word);
	fast_record_alloc(self, round, size);
	if (zero)
		memset((void *)round.start, 0, size);
	else
		kma_fill_set(round.start, kma_cell_filled(round.slab, size),
			     KMA_FILL_UNINITIALISED);
	fast_set_guards(round, before, size);
	fast_set_word(round, kma_word_with_state(word, KMA_BUFFER_ALLOCATED));
	return (void *)round.start;
}

/* 16-aligned. NULL: go the slow way. */
KMA_FAST void *fast_audit_allocate(struct kma_thread *self, size_t size,
				   enum kma_family family, bool zero)
{
	unsigned index = kma_audit_table[(size + 15) / 16];
	void *p;

	if (!fast_has_set(self, index) || __builtin_expect(fast_is_forked(), 0))
		return NULL;
	fast_enter(self);
	p = fast_take_audit(self, &self->audit_magsets[index], size, family,
			    zero, false);
	fast_leave(self);
	return p;
}

/* --- giving back ------------------------------------------------------------
 */

KMA_FAST void fast_record_free(struct kma_thread *self, struct fast_round round,
			       size_t size, uint64_t time, uint32_t stack)
{
	struct kma_bufctl *bufctl = round.bufctl;
	unsigned cache_index = round.slab->cache->index;

	bufctl->free_time = time;
	bufctl->free_thread = self->tid;
	bufctl->free_stack = stack;
	if (__builtin_expect(kma_log_any, 0)) {
		kma_log_transaction(KMA_OP_FREE, time, round.start, size, stack,
				    cache_index);
		kma_log_contents(time, round.start, size, stack, cache_index);
	}
}

/* Does the word tell of a live buffer as it is given back? The size is that of
 * the request, or SIZE_MAX. */
KMA_FAST bool fast_is_claimed_rightly(uint64_t word, size_t size,
				      enum kma_family family)
{
	const uint64_t any =
		UINT64_MAX << KMA_BUFCTL_SIZE_SHIFT | KMA_BUFCTL_IGNORED;

	return (word & ~any) ==
		       kma_word_make(KMA_BUFFER_ALLOCATED, family, 0, 0) &&
	       (size == SIZE_MAX || size == kma_word_size(word));
}

/* Room is looked for inside: a signal handler that comes before may take it. */
KMA_FAST bool fast_put_audit(struct kma_thread *self, struct kma_magset *set,
			     struct fast_round round, size_t size,
			     enum kma_family family)
{
	struct kma_magazine *magazine = set->previous;

	if (__builtin_expect(!magazine, 0) ||
	    __builtin_expect(magazine->rounds == magazine->capacity, 0))
		return false;
	fast_foresee(round);
	fast_look_ahead_freeing(self);

	uint64_t time = kma_clock_now();
	uint32_t stack = kma_stack_intern(KMA_STACK_OF_FAST_FREE);
	uint64_t word = __atomic_load_n(&round.bufctl->word, __ATOMIC_ACQUIRE);
	size_t stride = round.slab->stride, old = kma_word_size(word);

	if (__builtin_expect(!fast_is_claimed_rightly(word, size, family), 0) ||
	    !fast_is_short(stride, old) ||
	    kma_plain_guards_wrong(round.start, stride, old) ||
	    !kma_arch_claim(&round.bufctl->word, word,
			    kma_word_with_state(word, KMA_BUFFER_CHANGING)))
		return false;
	fast_record_free(self, round, old, time, stack);
	kma_fill_set(round.start, kma_cell_free_filled(round.slab, old),
		     KMA_FILL_FREE);
	fast_set_word(round, kma_word_with_state(word, KMA_BUFFER_FREE));
	magazine->round[magazine->rounds] = (void *)round.start;
	__atomic_signal_fence(__ATOMIC_RELEASE);
	magazine->rounds++;
	kma_magset_count(&set->free);
	return true;
}

/* word: the page's. False: go the slow way. */
KMA_FAST bool fast_audit_release(struct kma_thread *self, uint64_t word,
				 void *p, size_t size, enum kma_family family)
{
	const struct kma_slab *slab = fast_slab(word);
	unsigned __int128 quotient =
		kma_slab_divide(slab, (uintptr_t)p - slab->origin);
	uint64_t index = (uint64_t)(quotient >> 64);
	bool put;

	if (__builtin_expect((uint64_t)quotient >= slab->reciprocal, 0) ||
	    __builtin_expect(index >= slab->buffers, 0) ||
	    __builtin_expect(fast_is_forked(), 0))
		return false;
	fast_enter(self);
	put = fast_put_audit(self,
			     &self->audit_magsets[word >> KMA_PAGE_CACHE_SHIFT],
			     fast_round_at(p, slab, index), size, family);
	fast_leave(self);
	return put;
}

#endif
