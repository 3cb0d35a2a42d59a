/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/stack.h"

#include "alloc/root.h"
#include "alloc/sys.h"

#include <sys/mman.h>

uint64_t kma_stack_hash(const uint64_t *pc, size_t depth)
{
	uint64_t hash = KMA_STACK_HASH_SEED;

	while (depth-- > 0)
		hash = kma_stack_hash_step(hash, pc[depth]);
	return hash;
}

/*
 * Where a stack is captured: on itself, in frames of their own for the few that
 * are deep, as they cost stack; the fewer that are deeper still in pages of the
 * system's. Without those it is cut.
 */
enum { SHALLOW = 64, DEEP = 512 };

static uint32_t keep(const uint64_t *pc, size_t depth, uint16_t flags)
{
	return kma_depot_intern(kma_stack_hash(pc, depth), pc, depth, flags);
}

/* 0: there are no pages, or the depot is full. */
__attribute__((noinline)) static uint32_t record_deepest(size_t limit)
{
	size_t size = limit * sizeof(uint64_t);
	long pages =
		sys_call(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t *pc = (uint64_t *)pages;
	uint16_t flags;

	if (pages < 0)
		return 0;
	size_t depth = kma_stack_capture(pc, limit, &flags);
	uint32_t id = keep(pc, depth, flags);

	sys_munmap((uintptr_t)pages, size);
	return id;
}

__attribute__((noinline)) static uint32_t record_deep(size_t limit)
{
	uint64_t pc[DEEP];
	uint16_t flags;
	size_t depth =
		kma_stack_capture(pc, limit < DEEP ? limit : DEEP, &flags);
	uint32_t id = 0;

	if (depth == DEEP && limit > DEEP)
		id = record_deepest(limit);
	return id ? id : keep(pc, depth, flags);
}

size_t kma_stack_limit(void)
{
	size_t limit = kma_root.audit_depth;

	return limit == 0 || limit > KMA_STACK_MAX ? KMA_STACK_MAX : limit;
}

__attribute__((noinline)) uint32_t kma_stack_intern_walked(void)
{
	uint64_t pc[SHALLOW];
	size_t limit = kma_stack_limit();
	uint16_t flags;

	if (limit > SHALLOW)
		return record_deep(limit);
	size_t depth = kma_stack_capture(pc, limit, &flags);

	return keep(pc, depth, flags);
}
