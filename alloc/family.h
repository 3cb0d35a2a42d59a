/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ALLOC_FAMILY_H
#define ALLOC_FAMILY_H

#include "alloc/cache.h"

#include <stdbool.h>
#include <stdint.h>

/* "malloc", "operator new", ...: what hands out. */
const char *kma_family_allocator(enum kma_family family);

/*
 * Did the program itself mix families? alloc_stack is the depot id of the
 * allocation; the release is what calls this. False in doubt.
 */
bool kma_family_mixed(uint32_t alloc_stack, enum kma_family allocated,
		      enum kma_family released);

#endif
