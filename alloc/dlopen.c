/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dlopen() without RTLD_DEEPBIND.
 *
 * A library opened with that flag looks in itself and its own dependencies
 * first, so its malloc and free are libc's while the program's are ours: what
 * crosses the border is freed by who never made it (php opens its extensions
 * so). The flag is dropped. What it was for, a library preferring its own
 * symbols to the program's, is lost with it.
 *
 * libc finds RUNPATH and namespace of the caller by the return address. So
 * this is no C function: it changes the flags and jumps.
 */
#include "alloc/arch.h"

#include <dlfcn.h>

static_assert(RTLD_DEEPBIND == 8, "the flag as the assembler gets it");

void *kma_dlopen_next(void);

static void *dlopen_nowhere(const char *file, int flags)
{
	(void)file;
	(void)flags;
	return NULL;
}

__attribute__((used)) void *kma_dlopen_next(void)
{
	void *next = dlsym(RTLD_NEXT, "dlopen");

	return next ? next : (void *)dlopen_nowhere;
}

KMA_ARCH_FORWARD_WITHOUT(dlopen, 8, kma_dlopen_next);
