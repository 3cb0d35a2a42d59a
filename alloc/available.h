/* SPDX-License-Identifier: BSD-2-Clause */
/* How much memory there is for this process. */
#ifndef ALLOC_AVAILABLE_H
#define ALLOC_AVAILABLE_H

#include <stddef.h>

/*
 * Bytes that can be had before the system swaps or its group's limit is
 * reached, as far as the kernel tells; SIZE_MAX: it does not. Reads files, so
 * not for who runs often.
 */
size_t kma_memory_available(void);

#endif
