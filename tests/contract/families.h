/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One program with every kernel's allocators live, a unit for each. */
#ifndef TESTS_CONTRACT_FAMILIES_H
#define TESTS_CONTRACT_FAMILIES_H

/* A piece of type mount. */
void *families_bsd(void);
void families_freebsd(void);
void families_illumos(void);

/* The compiler must believe that they are used. */
static inline void families_keep(void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

#endif
