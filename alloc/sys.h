/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls that leave errno alone: free() must preserve it, and a signal
 * handler that reports or dumps must not disturb the program's.
 * A negative return is -errno; -EPERM, too, where the program has a seccomp
 * filter that would end it for a call it can live without (sandbox.h).
 */
#ifndef ALLOC_SYS_H
#define ALLOC_SYS_H

#include "alloc/arch.h"
#include "alloc/sandbox.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* NOLINTNEXTLINE(*-function-size): as many arguments as the kernel takes */
static inline long sys_call(long number, long a, long b, long c, long d, long e,
			    long f)
{
	if (__builtin_expect(kma_sandbox_is_set, false) &&
	    kma_sandbox_forbids_call(number, c))
		return -EPERM;
	return kma_arch_syscall(number, a, b, c, d, e, f);
}

static inline long sys_mprotect(uintptr_t base, size_t size, int protection)
{
	return sys_call(SYS_mprotect, (long)base, (long)size, protection, 0, 0,
			0);
}

/* Pages that are there already, made new and zero: what madvise() and
 * mprotect() could do, but for filters. */
static inline bool sys_map_anew(uintptr_t base, size_t size)
{
	return sys_call(SYS_mmap, (long)base, (long)size,
			PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			0) == (long)base;
}

static inline long sys_munmap(uintptr_t base, size_t size)
{
	return sys_call(SYS_munmap, (long)base, (long)size, 0, 0, 0, 0);
}

static inline long sys_mincore(uintptr_t base, size_t size,
			       unsigned char *pages)
{
	return sys_call(SYS_mincore, (long)base, (long)size,
			(long)(uintptr_t)pages, 0, 0, 0);
}

/* Advices that the C library may not know. */
enum {
	SYS_POPULATE_WRITE = 23, /* Linux 5.14 */
	SYS_COLLAPSE = 25,       /* 6.1 */
	SYS_GUARD_INSTALL = 102, /* 6.13 */
	SYS_GUARD_REMOVE = 103,
};

static inline long sys_madvise(uintptr_t base, size_t size, int advice)
{
	return sys_call(SYS_madvise, (long)base, (long)size, advice, 0, 0, 0);
}

static inline long sys_write(int fd, const void *bytes, size_t size)
{
	return sys_call(SYS_write, fd, (long)(uintptr_t)bytes, (long)size, 0, 0,
			0);
}

static inline uint32_t sys_gettid(void)
{
	long tid = sys_call(SYS_gettid, 0, 0, 0, 0, 0, 0);

	return tid < 0 ? kma_sandbox_tid() : (uint32_t)tid;
}

static inline uint32_t sys_getpid(void)
{
	return (uint32_t)sys_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

#endif
