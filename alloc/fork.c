/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/fork.h"

#include "alloc/clock.h"
#include "alloc/deferred.h"
#include "alloc/dump.h"
#include "alloc/foreign.h"
#include "alloc/instance.h"
#include "alloc/meta.h"
#include "alloc/percpu.h"
#include "alloc/reap.h"
#include "alloc/report.h"
#include "alloc/root.h"
#include "alloc/space.h"
#include "alloc/stack.h"
#include "alloc/sys.h"
#include "alloc/thread.h"
#include "alloc/types.h"
#include "alloc/visit.h"
#include "alloc/vmem.h"
#include "alloc/wait.h"

#include <sys/mman.h>

/* What pthread_atfork() calls; that one is a copy in every library, far from
 * all other code. NOLINTNEXTLINE(bugprone-reserved-identifier) */
extern int __register_atfork(void (*prepare)(void), void (*parent)(void),
			     void (*child)(void), void *dso);
extern void *__dso_handle /* NOLINT(bugprone-reserved-identifier) */
	__attribute__((visibility("hidden")));

/*
 * glibc's lock of the list of stdio's files, which its fork() takes after all
 * handlers where there are threads. One may hold it while it allocates: with
 * ours taken before, that thread would wait for us and we for it. So it is ours
 * to take first; it may be taken again by who has it. Other C libraries have no
 * such functions.
 */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
extern void _IO_list_lock(void) __attribute__((weak));
extern void _IO_list_unlock(void) __attribute__((weak));
extern void _IO_list_resetlock(void) __attribute__((weak));
extern char __libc_single_threaded __attribute__((weak)); /* since 2.32 */
/* NOLINTEND(bugprone-reserved-identifier) */

static bool has_files_locked; /* guarded by that lock */

/* Until there is a page for it, and where the kernel has none that it wipes. */
static const uint32_t no_mark = 1;

const uint32_t *kma_fork_mark = &no_mark;
static uint32_t *wiped_mark; /* the same; NULL: none */

/* All but the lists' own, in the order of alloc/lock.h. */
static void each_lock(void (*apply)(struct kma_lock *lock))
{
	for (unsigned i = 0; i < kma_cache_count; i++)
		apply(&kma_caches[i]->lock);
	for (unsigned i = 0; i < kma_cache_count; i++)
		apply(&kma_caches[i]->depot_lock);
	apply(&kma_wait_lock);
	apply(&kma_type_lock);
	apply(&kma_percpu_lock);
	kma_vmem_each_lock(apply);
	apply(&kma_foreign_lock);
	apply(&kma_pages_lock);
	apply(&kma_meta_lock);
}

static void lock_files(void)
{
	if (!_IO_list_lock ||
	    (&__libc_single_threaded && __libc_single_threaded))
		return;
	_IO_list_lock();
	has_files_locked = true;
}

static void hold_locks(void)
{
	kma_lock_fork_hold(&kma_visit_lock);
	kma_lock_fork_hold(&kma_thread_lock);
	/* From here on no cache and no arena comes to be, or ends. */
	kma_lock_fork_hold(&kma_registry_lock);
	kma_lock_fork_hold(&kma_map_lock);
	kma_lock_fork_hold(&kma_vmem_list_lock);
	each_lock(kma_lock_fork_hold);
}

/* The first goes last: who forks next waits for it before it holds any. */
static void release_locks(void)
{
	each_lock(kma_lock_fork_release);
	kma_lock_fork_release(&kma_vmem_list_lock);
	kma_lock_fork_release(&kma_map_lock);
	kma_lock_fork_release(&kma_registry_lock);
	kma_lock_fork_release(&kma_thread_lock);
	kma_lock_fork_release(&kma_visit_lock);
}

/*
 * A signal handler may fork, where it came in before a lock let this thread
 * through, or anywhere in the allocator. Then this thread's own locks are held
 * by what was interrupted, which goes on in parent and child alike: they are
 * left as they are. That is safe as fork() in handlers is, in processes of one
 * thread.
 */
static void prepare(void)
{
	struct kma_thread *self = kma_thread_enter();

	if (!kma_thread_nested(self)) {
		lock_files();
		hold_locks();
	}
	kma_thread_leave(self);
}

static void parent(void)
{
	struct kma_thread *self = kma_thread_enter();
	bool interrupted = kma_thread_nested(self);

	kma_thread_leave(self);
	if (interrupted)
		return;
	bool has_files = has_files_locked;

	has_files_locked = false;
	release_locks();
	if (has_files)
		_IO_list_unlock();
}

static void reset_locks(void)
{
	kma_lock_reset(&kma_visit_lock);
	kma_lock_reset(&kma_thread_lock);
	kma_lock_reset(&kma_registry_lock);
	kma_lock_reset(&kma_map_lock);
	kma_lock_reset(&kma_vmem_list_lock);
	each_lock(kma_lock_reset);
	kma_depot_fork_child();
	kma_report_fork_child();
}

void kma_fork_child(void)
{
	if (wiped_mark)
		*wiped_mark = 1;
	if (!kma_thread_nested(kma_self))
		reset_locks();

	uint32_t parent_pid = kma_root.pid;

	kma_root.pid = sys_getpid();
	kma_root.fork_time = kma_clock_now();
	kma_root.fork_count++;
	kma_percpu_forked();
	kma_thread_forked();
	kma_wait_forked();
	kma_visits = 0;
	kma_attention = kma_deferred_count; /* the only reason that is left */
	kma_reap_forked();
	kma_dump_forked();
	if (kma_instance.forked)
		kma_instance.forked(parent_pid);
}

/* A handler of another library may have come in before, and told us. */
static void child(void)
{
	struct kma_thread *self = kma_thread_enter();

	if (has_files_locked) /* glibc has, too: there were other threads */
		_IO_list_resetlock();
	has_files_locked = false;
	if (!wiped_mark || *wiped_mark == 0)
		kma_fork_child();
	kma_thread_leave(self);
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
	wiped_mark = mark_create();
	if (wiped_mark)
		kma_fork_mark = wiped_mark;
	__register_atfork(prepare, parent, child, &__dso_handle);
}
