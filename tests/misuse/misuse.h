/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For programs that do one thing wrong. The calls are in functions of their
 * own, which the test looks for in the stacks, and the compiler is kept from
 * seeing what becomes of a buffer: it deletes an allocation that never escapes,
 * and a store to what is about to be freed.
 */
#ifndef TESTS_MISUSE_H
#define TESTS_MISUSE_H

#include <stddef.h>
#include <stdlib.h>

#ifdef __clang__
#define APART __attribute__((noinline))
#else
#define APART __attribute__((noinline, noclone))
#endif
#define KEEP(p) __asm__ volatile("" : "+r"(p) : : "memory")

static APART char *make(size_t size)
{
	char *p = (char *)malloc(size);

	KEEP(p);
	return p;
}

static APART char *make_another(size_t size)
{
	char *p = (char *)malloc(size);

	KEEP(p);
	return p;
}

static APART void drop(void *p)
{
	free(p);
	KEEP(p);
}

static APART void store(char *p, ptrdiff_t at, char value)
{
	KEEP(p);
	p[at] = value;
	KEEP(p);
}

#endif
