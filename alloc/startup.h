/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The environment the process was started with, when even libc does not know
 * it yet: the first allocation can come from a function that ld.so calls while
 * it relocates (an IFUNC resolver), before environ is set.
 */
#ifndef ALLOC_STARTUP_H
#define ALLOC_STARTUP_H

/* environ, or what the kernel kept of it; never NULL. Stays good for ever. */
char *const *kma_startup_environment(void);

#endif
