/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the program's malloc is ours. One that it brings along (jemalloc
 * linked in, a language's own, a sanitizer's runtime) comes before any preload:
 * libkma runs in it and sees nothing.
 */
#ifndef ALLOC_OWN_MALLOC_H
#define ALLOC_OWN_MALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* When dlsym() may be called, and before main. quiet is run in the copy that
 * may be made to find out: there nobody is to be told of anything. */
bool kma_malloc_is_ours(void (*quiet)(void));

/* realloc as the program's own calls of it go: ours, or that which it brings
 * along. Not before dlsym() may be called. */
typedef void *kma_realloc_function(void *p, size_t size);
kma_realloc_function *kma_program_realloc(void);

#endif
