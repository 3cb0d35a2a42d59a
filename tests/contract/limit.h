/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A heap of little room, used up. */
#ifndef TESTS_CONTRACT_LIMIT_H
#define TESTS_CONTRACT_LIMIT_H

#include "tests/contract/kernel.h"

#include <kma/kma.h>

enum { BLOCK = 64 << 10, BLOCKS_MAX = 4096, ROOM = 8 << 20 };

static void *limit_blocks[BLOCKS_MAX];
static unsigned limit_count;

/* Limit the heap to some megabytes more than it has, and take them. */
static inline void limit_use_up(void)
{
	kma_set_heap_limit(kma_heap_used() + ROOM);
	while (limit_count < BLOCKS_MAX) {
		void *p = kma_alloc(BLOCK, KMA_NOSLEEP);

		if (!p)
			return;
		limit_blocks[limit_count++] = p;
	}
	contract_check(0, "the limit holds", __FILE__, __LINE__);
}

static inline void limit_give_back(void)
{
	kma_free(limit_blocks[--limit_count], BLOCK, 0);
}

static inline void limit_end(void)
{
	while (limit_count)
		limit_give_back();
	kma_set_heap_limit(0);
}

#endif
