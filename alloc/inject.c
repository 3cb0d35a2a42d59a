/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/inject.h"

#include "alloc/module.h"
#include "alloc/options.h"
#include "alloc/root.h"
#include "alloc/stack.h"
#include "alloc/thread.h"

#include <stddef.h>
#include <string.h>

/* Places that share a counter fail at other calls, but always at the same. */
enum { COUNTERS = 4096 };

static uint32_t counters[COUNTERS];

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ x >> 32;
}

/* The first frame outside this library; 0: none. */
static uint64_t caller_of(uint32_t id)
{
	const struct kma_stack *stack = kma_stack_get(id);

	for (uint32_t i = 0; stack && i < stack->depth; i++)
		if (stack->pc[i] < kma_root.text_base ||
		    stack->pc[i] >= kma_root.text_end)
			return stack->pc[i];
	return 0;
}

/* The same in every run, wherever the module is loaded. */
static uint64_t place_of(uint64_t pc)
{
	const struct kma_module *module = kma_module_find(pc);
	const char *name = module && module->path ? module->path : "";
	const char *slash = strrchr(name, '/');
	uint64_t hash = module ? pc - module->base : 0;

	for (name = slash ? slash + 1 : name; *name; name++)
		hash = mix(hash ^ (uint64_t)(unsigned char)*name);
	return mix(hash);
}

bool kma_inject_into(const struct kma_thread *self)
{
	if (__builtin_expect(kma_options.mtbf == 0, 1) || !self ||
	    kma_thread_nested(self))
		return false;

	uint64_t pc = caller_of(kma_stack_intern(KMA_STACK_OF_ALLOC));

	if (!pc)
		return false;
	uint64_t place = place_of(pc);
	uint32_t call = __atomic_fetch_add(&counters[place % COUNTERS], 1,
					   __ATOMIC_RELAXED);

	return mix(place ^ mix(kma_options.mtbf_seed) ^ call) %
		       kma_options.mtbf ==
	       0;
}
