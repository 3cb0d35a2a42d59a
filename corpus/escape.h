/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What keeps a planted leak planted, and nothing else alive.
 *
 * escape() hides a pointer's fate from the compiler, which else removes an
 * allocation that is never used; times() keeps it from unrolling a loop, which
 * would make each turn a group of its own. forget() overwrites the stack below
 * its caller and the registers a call may change: a stale copy of a pointer
 * there would be a reference, once a later frame lies over it or a signal
 * comes.
 */
#ifndef CORPUS_ESCAPE_H
#define CORPUS_ESCAPE_H

#include <string.h>

#define NOINLINE __attribute__((noinline, unused))

static inline void *escape(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

/* n, not known to the compiler: for a loop that must keep one call site. */
static inline int times(int n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

static NOINLINE void forget(void)
{
	char below[16384];

	memset(below, 0, sizeof(below));
	escape(below);
	__asm__ volatile("xor %%eax, %%eax\n\t"
			 "xor %%ecx, %%ecx\n\t"
			 "xor %%edx, %%edx\n\t"
			 "xor %%esi, %%esi\n\t"
			 "xor %%edi, %%edi\n\t"
			 "xor %%r8d, %%r8d\n\t"
			 "xor %%r9d, %%r9d\n\t"
			 "xor %%r10d, %%r10d\n\t"
			 "xor %%r11d, %%r11d"
			 :
			 :
			 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
			   "r11", "cc");
}

#endif
