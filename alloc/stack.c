/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/stack.h"

#include "alloc/thread.h"
#include "alloc/trace.h"

static uint64_t stack_hash(const uint64_t *pc, size_t depth)
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

	return kma_depot_intern(stack_hash(pc, depth), pc, depth, flags);
}

/* A frame of its own for the rare deep one, so that most cost little stack. */
__attribute__((noinline)) static uint32_t record_deep(size_t max)
{
	uint64_t pc[KMA_STACK_MAX];

	return record(pc, max);
}

static uint32_t intern_trace(const struct kma_trace_stack *stack, size_t limit)
{
	if (stack->depth > limit)
		return kma_depot_intern(stack_hash(stack->key, limit),
					stack->key, limit, KMA_STACK_TRUNCATED);
	if (*stack->id == 0)
		*stack->id = kma_depot_intern(stack->hash, stack->key,
					      stack->depth, 0);
	return *stack->id;
}

uint32_t kma_stack_record(unsigned limit)
{
	enum { SHALLOW = 64 };
	uint64_t pc[SHALLOW];
	struct kma_trace_stack stack;
	struct kma_thread *self = kma_self;

	if (limit == 0 || limit > KMA_STACK_MAX)
		limit = KMA_STACK_MAX;
	if (self && kma_trace_acquire(self, &stack)) {
		uint32_t id = intern_trace(&stack, limit);

		kma_trace_release(self);
		return id;
	}
	return limit > SHALLOW ? record_deep(limit) : record(pc, limit);
}
