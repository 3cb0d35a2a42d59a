/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls that leave errno alone: free() must preserve it, and a signal
 * handler that reports or dumps must not disturb the program's.
 *
 * A negative return is -errno. Everything here that knows an instruction set
 * lies in sys_call().
 */
#ifndef ALLOC_SYS_H
#define ALLOC_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

static inline long sys_call(long number, long a, long b, long c, long d, long e,
			    long f)
{
#if defined(__x86_64__)
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10),
			   "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#else
#error "sys_call() is not written for this architecture"
#endif
}

static inline long sys_mprotect(uintptr_t base, size_t size, int protection)
{
	return sys_call(SYS_mprotect, (long)base, (long)size, protection, 0, 0,
			0);
}

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
	return (uint32_t)sys_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

static inline uint32_t sys_getpid(void)
{
	return (uint32_t)sys_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

#endif
