/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/stack.h"

/* From the outermost frame inwards, as the same outer part comes again. */
static uint64_t stack_hash(const uint64_t *pc, size_t depth)
{
	uint64_t hash = depth;

	for (size_t i = depth; i-- > 0;) {
		hash = (hash ^ pc[i]) * UINT64_C(0x9E3779B97F4A7C15);
		hash ^= hash >> 29;
	}
	return hash;
}

static uint32_t record(uint64_t *pc, size_t max)
{
	uint16_t flags;
	size_t depth = kma_stack_capture(pc, max, &flags);

	return kma_depot_intern(stack_hash(pc, depth), pc, depth, flags);
}

/* A frame of its own for the rare deep one, so that most cost little stack. */
__attribute__((noinline)) static uint32_t record_deep(size_t max)
{
	uint64_t pc[KMA_STACK_MAX];

	return record(pc, max);
}

uint32_t kma_stack_record(unsigned limit)
{
	enum { SHALLOW = 64 };
	uint64_t pc[SHALLOW];

	if (limit == 0 || limit > KMA_STACK_MAX)
		limit = KMA_STACK_MAX;
	return limit > SHALLOW ? record_deep(limit) : record(pc, limit);
}
