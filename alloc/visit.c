/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/visit.h"

#include "alloc/arch.h"
#include "alloc/magazine.h"
#include "alloc/root.h"
#include "alloc/sys.h"
#include "alloc/thread.h"

#include <linux/membarrier.h>
#include <time.h>

/* How often an owner is looked at, and what is slept between. */
enum { SPINS = 200, SLEEPS = 400, SLEEP_NS = 50 * 1000 };

struct kma_lock kma_visit_lock;
uint32_t kma_visits;
bool kma_visit_unfenced;

static long membarrier(int command)
{
	return sys_call(SYS_membarrier, command, 0, 0, 0, 0, 0);
}

void kma_visit_init(void)
{
	if (!kma_visit_unfenced &&
	    membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0)
		__atomic_store_n(&kma_visit_unfenced, true, __ATOMIC_RELEASE);
}

/* Every thread that runs has a fence between its last instruction and its
 * next. */
static void fence_all(void)
{
	if (!kma_visit_unfenced)
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	else if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) < 0 &&
		 membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0)
		membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

static bool is_live(const struct kma_thread *thread)
{
	return __atomic_load_n(&thread->state, __ATOMIC_ACQUIRE) ==
	       KMA_THREAD_LIVE;
}

static bool is_busy(const struct kma_thread *thread)
{
	return is_live(thread) &&
	       __atomic_load_n(&thread->busy, __ATOMIC_ACQUIRE) != 0;
}

static bool wait_until_left(const struct kma_thread *thread)
{
	const struct timespec pause = { .tv_nsec = SLEEP_NS };

	for (unsigned i = 0; i < SPINS && is_busy(thread); i++)
		kma_arch_pause();
	for (unsigned i = 0; i < SLEEPS && is_busy(thread); i++)
		sys_call(SYS_nanosleep, (long)(uintptr_t)&pause, 0, 0, 0, 0, 0);
	return !is_busy(thread);
}

/* One visitor at a time; who waits is not busy, or the other waited for it. */
static struct kma_thread *begin(void)
{
	const struct timespec pause = { .tv_nsec = SLEEP_NS };
	struct kma_thread *self = kma_thread_enter();

	while (!kma_thread_nested(self) && !kma_lock_try(&kma_visit_lock)) {
		kma_thread_leave(self);
		sys_call(SYS_nanosleep, (long)(uintptr_t)&pause, 0, 0, 0, 0, 0);
		self = kma_thread_enter();
	}
	return self;
}

bool kma_visit_all(struct kma_cache *cache)
{
	struct kma_thread *self = begin();
	bool complete = true;

	if (kma_thread_nested(self)) {
		kma_thread_leave(self);
		return false;
	}
	kma_attention_add();
	__atomic_add_fetch(&kma_visits, 1, __ATOMIC_SEQ_CST);
	fence_all();
	for (struct kma_thread *thread = kma_root.threads; thread;
	     thread = thread->next) {
		if (!is_live(thread))
			continue;
		if (thread == self || wait_until_left(thread))
			kma_magazine_steal(thread, cache);
		else
			complete = false;
	}
	__atomic_sub_fetch(&kma_visits, 1, __ATOMIC_SEQ_CST);
	kma_attention_end();
	kma_lock_release(&kma_visit_lock);
	kma_thread_leave(self);
	return complete;
}
