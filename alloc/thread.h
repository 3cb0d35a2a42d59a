/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What belongs to one thread: its magazines, its log chunk, its last stack.
 *
 * One initial-exec TLS pointer leads here. The record is made at the thread's
 * first call, is registered for the debugger, hands its magazines to the depot
 * when the thread ends, and is then used again by a later thread. Calls that
 * come after the hand-back (other destructors) go past the magazines.
 *
 * busy guards the record against its own signal handlers: it is set while the
 * thread is inside the allocator; a handler that finds it set must not touch
 * magazines, and takes the slow path through try-locks.
 */
#ifndef ALLOC_THREAD_H
#define ALLOC_THREAD_H

#include "alloc/cache.h"
#include "alloc/magset.h"

#include <stdint.h>

enum kma_thread_state {
	KMA_THREAD_LIVE = 1,
	KMA_THREAD_EXITED = 2, /* record kept for its name and times */
};

/* What keeps a thread from the fast paths, besides busy. */
enum kma_thread_special {
	KMA_THREAD_SAMPLED = 1,  /* its requests are counted; sample.h */
	KMA_THREAD_IGNORING = 2, /* between kma_ignore_begin() and _end() */
	KMA_THREAD_INTR = 4,     /* between kma_intr_enter() and _exit() */
};

struct kma_log_chunk;
enum { KMA_THREAD_LOGS = 2 };
struct kma_trace; /* unwind.c: the thread's last stack */

struct kma_thread {
	struct kma_thread *next; /* all records ever made */
	uint32_t tid;
	uint32_t state;                       /* enum kma_thread_state */
	uint32_t busy;                        /* depth inside the allocator */
	uint32_t magset_caches, magset_count; /* below */
	uint32_t special;                     /* of enum kma_thread_special */
	/* magset_caches; 0 where it is special. What is given back is no
	 * sample that would have to be counted. */
	uint32_t fast_caches, free_caches;
	uint32_t exit_rounds; /* how often its destructor has run */
	uint32_t ignoring;    /* depth of kma_ignore_begin() */
	int64_t sample_left;  /* sample.h: of what no set serves */
	uint64_t sample_random;
	char name[16]; /* as last seen: at start, at exit, in a dump */
	uint64_t start_time, end_time;
	/* Its own stack, as the unwinder learnt it; top 0: not known yet. */
	uintptr_t stack_low, stack_top;
	uintptr_t altstack_base;
	size_t altstack_size;
	/* The program's own, which none but the kernel may know; 0: none. */
	uintptr_t signal_stack;
	/* Its pthread_create(), where stacks are kept; else 0. */
	uint64_t created_time;
	uint32_t created_by, created_stack; /* tid, depot id */
	/*
	 * magsets[tier * magset_caches + cache index], magset_count in all.
	 * Tier off comes first, so that a thread touches no more than that.
	 */
	struct kma_magset *magsets, *lite_magsets, *audit_magsets;
	struct kma_log_chunk *log_chunks[KMA_THREAD_LOGS]; /* log.c's own */
	/* Where the next call looks ahead; fast_audit.h. */
	const struct kma_magset *look_ahead;
	struct kma_trace *trace;
	struct kma_thread *next_exited; /* oldest first; for reuse */
};

static inline void kma_thread_settle_special(struct kma_thread *thread)
{
	thread->fast_caches = thread->special ? 0 : thread->magset_caches;
	thread->free_caches = thread->special & ~(uint32_t)KMA_THREAD_SAMPLED
				      ? 0
				      : thread->magset_caches;
}

static inline void kma_thread_special_add(struct kma_thread *thread,
					  enum kma_thread_special reason)
{
	thread->special |= reason;
	kma_thread_settle_special(thread);
}

static inline void kma_thread_special_end(struct kma_thread *thread,
					  enum kma_thread_special reason)
{
	thread->special &= ~(uint32_t)reason;
	kma_thread_settle_special(thread);
}

extern __thread struct kma_thread *kma_self
	__attribute__((tls_model("initial-exec")));

/*
 * How many reasons there are for every thread to go the slow way through the
 * kernels' calls: sleepers, visits, frees that were deferred. Whoever counts
 * one of these counts it here, too.
 */
extern uint32_t kma_attention __attribute__((visibility("hidden")));

static inline void kma_attention_add(void)
{
	__atomic_add_fetch(&kma_attention, 1, __ATOMIC_SEQ_CST);
}

static inline void kma_attention_end(void)
{
	__atomic_sub_fetch(&kma_attention, 1, __ATOMIC_SEQ_CST);
}

/* The calling thread's record, made if need be. NULL: ended, or no memory. */
struct kma_thread *kma_thread_self(void);

/* For the three below, where the thread has no record, or none yet. */
struct kma_thread *kma_thread_enter_first(void);
void kma_thread_leave_outside(void);
bool kma_thread_nested_outside(void);

/*
 * Every path that takes a lock or touches the record runs between these two.
 * A thread is nested when it came in again from a signal handler (or from a
 * libc function that we called): it then holds locks it knows nothing of, so
 * it must take none but by kma_lock_try().
 */
static inline struct kma_thread *kma_thread_enter(void)
{
	struct kma_thread *thread = kma_self;

	if (__builtin_expect(!thread, 0))
		return kma_thread_enter_first();
	thread->busy++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return thread;
}

static inline void kma_thread_leave(struct kma_thread *thread)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (__builtin_expect(thread != NULL, 1))
		thread->busy--;
	else
		kma_thread_leave_outside();
}

static inline bool kma_thread_nested(const struct kma_thread *thread)
{
	return __builtin_expect(thread != NULL, 1)
		       ? thread->busy > 1
		       : kma_thread_nested_outside();
}

/* For who has not entered: was the thread interrupted in here? */
bool kma_thread_inside(const struct kma_thread *thread);

bool kma_thread_init(void);

/* For a cache that was made after the record. */
struct kma_magset *kma_thread_magset_new(struct kma_thread *self,
					 const struct kma_cache *cache,
					 enum kma_tier tier);

/*
 * The thread's set; caches made after its record are given theirs here. NULL
 * when there is no memory for that. No lock may be held.
 */
static inline struct kma_magset *
kma_thread_magset(struct kma_thread *self, const struct kma_cache *cache,
		  enum kma_tier tier)
{
	if (__builtin_expect(cache->index >= self->magset_caches, 0))
		return kma_thread_magset_new(self, cache, tier);
	return &self->magsets[tier * self->magset_caches + cache->index];
}

/* For fork.c: the registry's lock; mark all threads but this one as ended. */
extern struct kma_lock kma_thread_lock;
void kma_thread_forked(void);

#endif
