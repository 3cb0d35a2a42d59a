/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Contract tests are programs that run under the library they test, so they
 * bring no test library of their own: the first check that fails ends them.
 */
#ifndef TESTS_CONTRACT_CONTRACT_H
#define TESTS_CONTRACT_CONTRACT_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHECK(condition) \
	contract_check(!!(condition), #condition, __FILE__, __LINE__)

static inline void contract_check(int holds, const char *text, const char *file,
				  int line)
{
	if (holds)
		return;
	dprintf(2, "%s:%d: does not hold: %s\n", file, line, text);
	_exit(1);
}

/* A pointer the compiler knows nothing of: no allocation is optimised away. */
static inline void *opaque(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

static inline size_t opaque_size(size_t size)
{
	__asm__ volatile("" : "+r"(size));
	return size;
}

#endif
