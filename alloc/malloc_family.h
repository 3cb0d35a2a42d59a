/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libkma_malloc.so exports beside kma_*: the C functions. The prototypes
 * stand here and not in <malloc.h>, whose attributes tell the compiler things
 * about the result that the implementation must not believe. C++'s operators
 * are in cxx.c.
 */
#ifndef ALLOC_MALLOC_FAMILY_H
#define ALLOC_MALLOC_FAMILY_H

#include <stddef.h>

#pragma GCC visibility push(default)

void *malloc(size_t size);
void free(void *p);
void *calloc(size_t count, size_t size);
void *realloc(void *p, size_t size);
void *reallocarray(void *p, size_t count, size_t size);
void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t align, size_t size);
void *aligned_alloc(size_t align, size_t size);
void *memalign(size_t align, size_t size);
int posix_memalign(void **ret, size_t align, size_t size);
void *valloc(size_t size);
void *pvalloc(size_t size);
size_t malloc_usable_size(void *p);

#pragma GCC visibility pop

#endif
