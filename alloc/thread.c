/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a thread's record.
 *
 *	first call --> record made or reused, registered, named
 *	destructor --> runs in every round of the thread's destructors but does
 *	               nothing until the last, as others free memory in theirs
 *	last round --> magazines handed back, record EXITED; calls that still
 *	               come go past the magazines
 *
 * Records of ended threads are kept, oldest reused first, until KEPT_MAX of
 * them lie about: a debugger names the threads of old allocations by them, but
 * a program that starts a million threads must not keep a million records.
 *
 * A thread without a record (ended, being recorded, no memory) counts its
 * entries in a TLS word of its own, so that its signal handlers know too.
 */
#include "alloc/thread.h"

#include "alloc/clock.h"
#include "alloc/dump.h"
#include "alloc/intr.h"
#include "alloc/log.h"
#include "alloc/magazine.h"
#include "alloc/meta.h"
#include "alloc/race.h"
#include "alloc/root.h"
#include "alloc/sample.h"
#include "alloc/sys.h"
#include "alloc/trace.h"
#include "alloc/visit.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>

enum { KEPT_MAX = 1024 };

uint32_t kma_attention;
__thread struct kma_thread *kma_self __attribute__((tls_model("initial-exec")));

/* For a thread without a record. */
static __thread struct {
	uint32_t entered;
	bool recording; /* its record is being made */
	bool ended;
} outside __attribute__((tls_model("initial-exec")));

struct kma_lock kma_thread_lock;

/* Guarded by kma_thread_lock: exited records in the order they ended. */
static struct kma_thread *oldest_exited, *newest_exited;
static unsigned exited_count;

static pthread_key_t exit_key;
static bool have_exit_key;

static struct kma_thread *record_reuse(void)
{
	struct kma_thread *thread = oldest_exited;

	if (!thread || exited_count < KEPT_MAX)
		return NULL;
	oldest_exited = thread->next_exited;
	if (!oldest_exited)
		newest_exited = NULL;
	exited_count--;
	return thread;
}

static struct kma_thread *record_create(void)
{
	struct kma_thread *thread =
		kma_meta_take(KMA_META_THREAD, 1, sizeof(*thread));

	if (!thread)
		return NULL;
	thread->next = kma_root.threads;
	__atomic_store_n(&kma_root.threads, thread, __ATOMIC_RELEASE);
	return thread;
}

static void learn_name(struct kma_thread *thread)
{
	sys_call(SYS_prctl, PR_GET_NAME, (long)(uintptr_t)thread->name, 0, 0, 0,
		 0);
}

/* Sets are made for this many caches at a time. */
enum { CACHES_UNIT = 64 };

static uint32_t caches_with_room_for(uint32_t count)
{
	return (count + CACHES_UNIT - 1) / CACHES_UNIT * CACHES_UNIT;
}

static size_t magsets_size(uint32_t caches)
{
	return (size_t)caches * KMA_TIER_COUNT * sizeof(struct kma_magset);
}

static void set_magsets(struct kma_thread *thread, struct kma_magset *magsets,
			uint32_t caches)
{
	thread->magsets = magsets;
	thread->lite_magsets = magsets + KMA_TIER_LITE * caches;
	thread->audit_magsets = magsets + KMA_TIER_AUDIT * caches;
	thread->look_ahead = NULL;
	thread->magset_caches = caches;
	thread->magset_count = caches * KMA_TIER_COUNT;
	kma_thread_settle_special(thread);
}

static void record_fill(struct kma_thread *thread, struct kma_magset *magsets,
			uint32_t caches)
{
	thread->tid = sys_gettid();
	thread->busy = 0;
	thread->exit_rounds = 0;
	thread->start_time = kma_clock_now();
	thread->end_time = 0;
	thread->stack_low = thread->stack_top = 0; /* unwind_bounds.c */
	thread->altstack_base = 0;
	thread->altstack_size = 0;
	thread->signal_stack = 0;
	thread->created_time = 0;
	thread->created_by = thread->created_stack = 0;
	set_magsets(thread, magsets, caches);
	thread->special = kma_intr_depth_now() ? KMA_THREAD_INTR : 0;
	kma_thread_settle_special(thread);
	thread->ignoring = 0;
	kma_sample_thread_init(thread);
	learn_name(thread);
	__atomic_store_n(&thread->state, KMA_THREAD_LIVE, __ATOMIC_RELEASE);
}

static struct kma_thread *record_register(void)
{
	uint32_t caches = caches_with_room_for(kma_cache_count);
	struct kma_magset *magsets =
		kma_meta_take(KMA_META_THREAD, 1, magsets_size(caches));

	if (!magsets)
		return NULL;
	kma_lock_acquire(&kma_thread_lock);
	struct kma_thread *thread = record_reuse();

	if (!thread)
		thread = record_create();
	if (thread)
		record_fill(thread, magsets, caches);
	kma_lock_release(&kma_thread_lock);
	return thread;
}

static struct kma_thread *record_make(void)
{
	if (outside.ended || outside.recording)
		return NULL;
	outside.recording = true;
	outside.entered++;

	struct kma_thread *thread = kma_init() ? record_register() : NULL;

	kma_self = thread;
	outside.entered--;
	outside.recording = false;
	if (thread)
		kma_dump_thread_start(thread);
	if (!thread || !have_exit_key)
		return thread;

	/* With many keys in use this allocates: by now it can. */
	pthread_setspecific(exit_key, thread);
	return thread;
}

struct kma_thread *kma_thread_self(void)
{
	struct kma_thread *thread = kma_self;

	return __builtin_expect(thread != NULL, 1) ? thread : record_make();
}

struct kma_thread *kma_thread_enter_first(void)
{
	struct kma_thread *thread = kma_thread_self();

	if (thread)
		thread->busy++;
	else
		outside.entered++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return thread;
}

void kma_thread_leave_outside(void)
{
	outside.entered--;
}

bool kma_thread_nested_outside(void)
{
	return outside.entered > 1;
}

/* Others may be counting (mallinfo.c): not without the registry's lock. */
static void magsets_replace(struct kma_thread *self, struct kma_magset *wider,
			    uint32_t caches)
{
	kma_lock_acquire(&kma_thread_lock);
	for (unsigned tier = 0; tier < KMA_TIER_COUNT; tier++)
		memcpy(wider + tier * caches,
		       self->magsets + tier * self->magset_caches,
		       self->magset_caches * sizeof(*wider));
	set_magsets(self, wider, caches);
	kma_lock_release(&kma_thread_lock);
}

static bool magsets_grow(struct kma_thread *self, uint32_t count)
{
	uint32_t caches = caches_with_room_for(count);
	struct kma_magset *old = self->magsets;
	size_t old_size = magsets_size(self->magset_caches);
	struct kma_magset *wider =
		kma_meta_take(KMA_META_THREAD, 1, magsets_size(caches));

	if (!wider)
		return false;
	magsets_replace(self, wider, caches);
	kma_meta_give(KMA_META_THREAD, old, 1, old_size);
	return true;
}

struct kma_magset *kma_thread_magset_new(struct kma_thread *self,
					 const struct kma_cache *cache,
					 enum kma_tier tier)
{
	if (!magsets_grow(self, cache->index + 1))
		return NULL;
	return kma_thread_magset(self, cache, tier);
}

bool kma_thread_inside(const struct kma_thread *thread)
{
	return (thread ? thread->busy : outside.entered) > 0;
}

static void record_end(struct kma_thread *thread)
{
	size_t size = magsets_size(thread->magset_caches);
	struct kma_magset *magsets = thread->magsets;

	kma_magazine_hand_back(thread);
	kma_lock_acquire(&kma_thread_lock);
	kma_magazine_settle(thread);
	set_magsets(thread, NULL, 0);
	kma_log_hand_back(thread);
	if (thread->trace) /* else its code need not come in */
		kma_trace_discard(thread);
	thread->end_time = kma_clock_now();
	__atomic_store_n(&thread->state, KMA_THREAD_EXITED, __ATOMIC_RELEASE);
	thread->next_exited = NULL;
	if (newest_exited)
		newest_exited->next_exited = thread;
	else
		oldest_exited = thread;
	newest_exited = thread;
	exited_count++;
	kma_lock_release(&kma_thread_lock);
	kma_meta_give(KMA_META_THREAD, magsets, 1, size);
}

static void at_thread_exit(void *argument)
{
	struct kma_thread *thread = argument;

	if (++thread->exit_rounds <
	    PTHREAD_DESTRUCTOR_ITERATIONS - KMA_RACE_EXIT_ROUNDS) {
		pthread_setspecific(exit_key, thread);
		return;
	}
	learn_name(thread);
	outside.ended = true;
	outside.entered++;
	kma_self = NULL;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	kma_dump_thread_end(thread);
	/* Who visits has seen that it is not busy, and may be at its magazines.
	 */
	kma_lock_acquire(&kma_visit_lock);
	record_end(thread);
	kma_lock_release(&kma_visit_lock);
	outside.entered--;
}

bool kma_thread_init(void)
{
	have_exit_key = pthread_key_create(&exit_key, at_thread_exit) == 0;
	return have_exit_key;
}

/*
 * Only the calling thread lives on in a child. The magazines of the others stay
 * with their records: the threads went on while the kernel copied page after
 * page, so what they were about to change may be half in the copy. Their chunks
 * of the logs are for others: a record in the making is known as such.
 */
void kma_thread_forked(void)
{
	struct kma_thread *self = kma_self;

	for (struct kma_thread *thread = kma_root.threads; thread;
	     thread = thread->next) {
		if (thread == self || thread->state != KMA_THREAD_LIVE)
			continue;
		thread->end_time = kma_root.fork_time;
		kma_log_hand_back(thread);
		__atomic_store_n(&thread->state, KMA_THREAD_EXITED,
				 __ATOMIC_RELEASE);
	}
	if (self)
		self->tid = sys_gettid();
}
