/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps of pages: what the rest of the library has to know of them. */
#ifndef ALLOC_SPACE_H
#define ALLOC_SPACE_H

#include "alloc/lock.h"

/* For fork.c: guards the making of the root map; before all locks of arenas. */
extern struct kma_lock kma_map_lock;

#endif
