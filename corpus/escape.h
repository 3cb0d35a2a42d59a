/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What keeps a planted leak planted, and nothing else alive.
 *
 * escape() hides a pointer's fate from the compiler, which else removes an
 * allocation that is never used. forget() overwrites the stack below its
 * caller: a stale copy of a pointer there would be a reference once a later
 * call's frame lies over it.
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

static NOINLINE void forget(void)
{
	char below[16384];

	memset(below, 0, sizeof(below));
	escape(below);
}

#endif
