/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/fork.h"

#include "alloc/clock.h"
#include "alloc/dump.h"
#include "alloc/instance.h"
#include "alloc/meta.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/sys.h"
#include "alloc/thread.h"

#include <pthread.h>
#include <sys/mman.h>

uint32_t *kma_fork_mark;

enum { LOCKS_MAX = 3 + 2 * KMA_CACHES_MAX };

/* In the order of alloc/lock.h. */
static unsigned list_locks(struct kma_lock *locks[LOCKS_MAX])
{
	unsigned count = 0;

	locks[count++] = &kma_thread_lock;
	for (unsigned i = 0; i < kma_cache_count; i++)
		locks[count++] = &kma_caches[i]->lock;
	for (unsigned i = 0; i < kma_cache_count; i++)
		locks[count++] = &kma_caches[i]->depot_lock;
	locks[count++] = &kma_pages_lock;
	locks[count++] = &kma_meta_lock;
	return count;
}

static void prepare(void)
{
	struct kma_lock *locks[LOCKS_MAX];
	unsigned count = list_locks(locks);
	/* A signal handler may come before a lock lets this thread through. */
	struct kma_thread *self = kma_thread_enter();

	for (unsigned i = 0; i < count; i++)
		kma_lock_fork_hold(locks[i]);
	kma_thread_leave(self);
}

/* The first goes last: who forks next waits for it before it holds any. */
static void parent(void)
{
	struct kma_lock *locks[LOCKS_MAX];
	unsigned count = list_locks(locks);

	while (count)
		kma_lock_fork_release(locks[--count]);
}

static void reset_locks(void)
{
	struct kma_lock *locks[LOCKS_MAX];
	unsigned count = list_locks(locks);

	for (unsigned i = 0; i < count; i++)
		kma_lock_reset(locks[i]);
	kma_depot_fork_child();
	kma_report_fork_child();
}

void kma_fork_child(void)
{
	if (kma_fork_mark)
		*kma_fork_mark = 1;
	reset_locks();

	uint32_t parent_pid = kma_root.pid;

	kma_root.pid = sys_getpid();
	kma_root.fork_time = kma_clock_now();
	kma_root.fork_count++;
	kma_thread_forked();
	kma_dump_forked();
	if (kma_instance.forked)
		kma_instance.forked(parent_pid);
}

/* A handler of another library may have come in before, and told us. */
static void child(void)
{
	if (!kma_fork_mark || *kma_fork_mark == 0)
		kma_fork_child();
}

static uint32_t *mark_create(void)
{
	long page = sys_call(SYS_mmap, 0, KMA_PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page < 0 && page > -4096)
		return NULL;
	if (sys_madvise((uintptr_t)page, KMA_PAGE_SIZE, MADV_WIPEONFORK) < 0)
		return NULL;

	uint32_t *mark = (uint32_t *)page;

	*mark = 1;
	return mark;
}

void kma_fork_init(void)
{
	kma_fork_mark = mark_create();
	pthread_atfork(prepare, parent, child);
}
