/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setrlimit() and prlimit() of RLIMIT_AS. What the allocator holds of address
 * space counts against the limit, and nothing more could be mapped, so it is
 * let go first (range.h). The calls themselves are the kernel's.
 */
#undef _FILE_OFFSET_BITS /* both names of each call are to be defined */
#include "alloc/lock.h"
#include "alloc/meta.h"
#include "alloc/pages.h"
#include "alloc/range.h"
#include "alloc/roster.h"
#include "alloc/stack.h"
#include "alloc/sys.h"
#include "alloc/thread.h"

#include <errno.h>
#include <sys/resource.h>

#define EXPORT __attribute__((visibility("default")))

static_assert(sizeof(struct rlimit) == sizeof(struct rlimit64),
	      "the kernel's and both of libc's are one");

static void release_all(uint64_t limit)
{
	kma_lock_acquire(&kma_pages_lock);
	kma_lock_acquire(&kma_meta_lock);
	kma_lock_acquire(&kma_depot_lock);
	kma_reserve_let_go();
	kma_roster_let_go(limit);
	kma_lock_release(&kma_depot_lock);
	kma_lock_release(&kma_meta_lock);
	kma_lock_release(&kma_pages_lock);
}

/* Not from a signal handler that came in where its own thread holds a lock. */
static void let_go(uint64_t limit)
{
	struct kma_thread *self = kma_thread_enter();

	if (!kma_thread_nested(self))
		release_all(limit);
	kma_thread_leave(self);
}

static int limit(pid_t pid, int resource, const struct rlimit64 *new,
		 struct rlimit64 *old)
{
	if (resource == RLIMIT_AS && new &&new->rlim_cur != RLIM64_INFINITY &&
	    (pid == 0 || pid == (pid_t)sys_getpid()))
		let_go(new->rlim_cur);
	long result =
		sys_call(SYS_prlimit64, pid, resource, (long)(uintptr_t) new,
			 (long)(uintptr_t)old, 0, 0);

	if (result >= 0)
		return 0;
	errno = (int)-result;
	return -1;
}

EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *new)
{
	return limit(0, (int)resource, new, NULL);
}

EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *new)
{
	return limit(0, (int)resource, (const struct rlimit64 *)new, NULL);
}

EXPORT int prlimit64(pid_t pid, enum __rlimit_resource resource,
		     const struct rlimit64 *new, struct rlimit64 *old)
{
	return limit(pid, (int)resource, new, old);
}

EXPORT int prlimit(pid_t pid, enum __rlimit_resource resource,
		   const struct rlimit *new, struct rlimit *old)
{
	return limit(pid, (int)resource, (const struct rlimit64 *)new,
		     (struct rlimit64 *)old);
}
