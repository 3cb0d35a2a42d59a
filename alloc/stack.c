/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/stack.h"

#include "alloc/root.h"

uint64_t kma_stack_hash(const uint64_t *pc, size_t depth)
{
	uint64_t hash = KMA_STACK_HASH_SEED;

	while (depth-- > 0)
		hash = kma_stack_hash_step(hash, pc[depth]);
	return hash;
}

static uint32_t record(uint64_t *pc, size_t max)
{
	uint16_t flags;
	size_t depth = kma_stack_capture(pc, max, &flags);

	return kma_depot_intern(kma_stack_hash(pc, depth), pc, depth, flags);
}

/* Frames of their own, as deep stacks are rare and cost stack. */
__attribute__((noinline)) static uint32_t record_deep(size_t max)
{
	uint64_t pc[KMA_STACK_MAX];

	return record(pc, max);
}

size_t kma_stack_limit(void)
{
	size_t limit = kma_root.audit_depth;

	return limit == 0 || limit > KMA_STACK_MAX ? KMA_STACK_MAX : limit;
}

__attribute__((noinline)) uint32_t kma_stack_intern_walked(void)
{
	enum { SHALLOW = 64 };
	uint64_t pc[SHALLOW];
	size_t limit = kma_stack_limit();

	return limit > SHALLOW ? record_deep(limit) : record(pc, limit);
}
