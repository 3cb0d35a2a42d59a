/* SPDX-License-Identifier: BSD-2-Clause */
/* What kmem_alloc shares with typed malloc. */
#ifndef ALLOC_KMEM_H
#define ALLOC_KMEM_H

#include "alloc/allocate.h"

/* Of a request of that size: what kma/kma.h promises. */
size_t kma_kmem_align(size_t size);

/* False: there is nothing to give for a size of 0, by the rule of flags' kernel
 * or of the environment, which was told. Else *size may have become 1. */
bool kma_kmem_size_fits(size_t *size, unsigned flags);

/* Wait until the request can be had; NULL: it never can, which was reported.
 * The caller has not entered and is in no signal handler. */
void *kma_kmem_sleep(const struct kma_request *request, const char *function);

#endif
