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

/* In the order of alloc/lock.h. */
static void for_each_lock(void (*function)(struct kma_lock *lock))
{
	function(&kma_thread_lock);
	for (unsigned i = 0; i < kma_cache_count; i++)
		function(&kma_caches[i]->lock);
	for (unsigned i = 0; i < kma_cache_count; i++)
		function(&kma_caches[i]->depot_lock);
	function(&kma_pages_lock);
	function(&kma_meta_lock);
}

static void prepare(void)
{
	for_each_lock(kma_lock_acquire);
}

static void parent(void)
{
	for_each_lock(kma_lock_release);
}

void kma_fork_child(void)
{
	if (kma_fork_mark)
		*kma_fork_mark = 1;
	for_each_lock(kma_lock_reset);
	kma_depot_fork_child();
	kma_report_fork_child();
	kma_depot_fork_child();

	uint32_t parent_pid = kma_root.pid;

	kma_root.pid = sys_getpid();
	kma_root.fork_time = kma_clock_now();
	kma_root.fork_count++;
	kma_thread_forked();
	kma_dump_forked();
	if (kma_instance.forked)
		kma_instance.forked(parent_pid);
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
	pthread_atfork(prepare, parent, kma_fork_child);
}
