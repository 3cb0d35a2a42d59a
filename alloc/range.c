/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One mmap for everything. The sizes are addresses, not memory: what is not
 * committed costs nothing, so where nothing limits the address space the parts
 * are as large as any program could want. Under RLIMIT_AS every reserved byte
 * counts, so there the reserve takes a share of the limit, with as little
 * beside the heap as the tier needs.
 */
#include "alloc/range.h"

#include "alloc/options.h"
#include "alloc/pages.h"
#include "alloc/sys.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define MIB (UINT64_C(1) << 20)
#define TIB (UINT64_C(1) << 40)

static const uint64_t heap_max = 4 * TIB;
static const uint64_t heap_min = 64 * MIB;

/* Depot ids are 32 bits wide, in units of 8 bytes. */
static const uint64_t depot_max = UINT64_C(32) << 30;

/* A range grows by an eighth of itself, within these bounds. */
static const uint64_t step_min = MIB / 4;
static const uint64_t step_max = 64 * MIB;

static const uint64_t guard_size = MIB / 16;

struct kma_reserve kma_reserve;

/* Sizes of the parts beside the heap, as fractions of it. */
struct shares {
	unsigned meta, depot, logs;
};

static uint64_t round_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) & ~(unit - 1);
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

static uint64_t lay_part(struct kma_range *range, enum kma_account account,
			 uint64_t at, uint64_t size)
{
	range->account = account;
	range->base = at;
	range->committed = at;
	range->end = at + round_up(size, KMA_PAGE_SIZE);
	return range->end + guard_size;
}

/* Lay the parts out from base; returns where the reserve ends. */
static uint64_t lay_out(struct kma_reserve *reserve, uint64_t base,
			uint64_t heap, const struct shares *shares)
{
	uint64_t at = base + guard_size;

	reserve->base = base;
	at = lay_part(&reserve->page_map, KMA_ACCOUNT_PAGE_MAP, at,
		      (heap >> KMA_PAGE_SHIFT) * sizeof(uint64_t));
	at = lay_part(&reserve->meta, KMA_ACCOUNT_METADATA, at,
		      heap / shares->meta);
	at = lay_part(&reserve->depot, KMA_ACCOUNT_STACKS, at,
		      at_most(heap / shares->depot, depot_max));
	at = lay_part(&reserve->logs, KMA_ACCOUNT_LOG, at, heap / shares->logs);
	at = lay_part(&reserve->heap, KMA_ACCOUNT_HEAP, at, heap);
	reserve->end = at;
	return at;
}

static bool try_reserve(uint64_t heap, const struct shares *shares)
{
	struct kma_reserve plan;
	uint64_t size = lay_out(&plan, 0, heap, shares);

	/* Not MAP_NORESERVE: then the kernel would not account for what is
	 * committed later, and grant any size whatever. */
	long base = sys_call(SYS_mmap, 0, (long)size, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base < 0 && base > -4096)
		return false;
	lay_out(&kma_reserve, (uint64_t)base, heap, shares);
	kma_reserve.lookup.base = kma_reserve.heap.base;
	kma_reserve.lookup.words = (const uint64_t *)kma_reserve.page_map.base;
	sys_madvise((uintptr_t)base, size, MADV_DONTDUMP);
	return true;
}

/* RLIMIT_AS in bytes, or UINT64_MAX. */
static uint64_t address_space_limit(void)
{
	struct rlimit limit = { .rlim_cur = RLIM_INFINITY };

	sys_call(SYS_prlimit64, 0, RLIMIT_AS, 0, (long)(uintptr_t)&limit, 0, 0);
	if (limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}

bool kma_reserve_init(void)
{
	static const struct shares roomy = { 2, 16, 8 };
	static const struct shares tight_plain = { 8, 64, 64 };
	static const struct shares tight_audit = { 1, 8, 8 };
	const struct shares *shares = &roomy;
	uint64_t limit = address_space_limit();
	uint64_t heap = heap_max;

	if (limit < 8 * TIB) {
		bool plain = kma_options.tier == KMA_TIER_OFF;

		shares = plain ? &tight_plain : &tight_audit;
		heap = at_most(heap, plain ? limit / 2 : limit / 4);
		heap = round_up(heap, MIB);
	}
	for (; heap >= heap_min; heap = round_up(heap / 2, MIB))
		if (try_reserve(heap, shares))
			return true;
	return try_reserve(heap_min, shares) ||
	       try_reserve(heap_min / 4, shares);
}

static bool commit_exactly(struct kma_range *range, uintptr_t upto)
{
	size_t size = upto - range->committed;

	if (sys_mprotect(range->committed, size, PROT_READ | PROT_WRITE) < 0)
		return false;
	sys_madvise(range->committed, size, MADV_DODUMP);
	__atomic_store_n(&range->committed, upto, __ATOMIC_RELEASE);
	if (range == &kma_reserve.heap)
		__atomic_store_n(&kma_reserve.lookup.committed,
				 upto - range->base, __ATOMIC_RELEASE);
	kma_arena_grew(range->account, size);
	return true;
}

bool kma_range_commit(struct kma_range *range, uintptr_t upto)
{
	if (upto <= range->committed)
		return true;
	if (upto > range->end)
		return false;

	uint64_t step = at_most((range->committed - range->base) / 8, step_max);
	uint64_t target =
		range->committed + (step > step_min ? step : step_min);

	upto = round_up(upto, KMA_PAGE_SIZE);
	target = at_most(round_up(target, KMA_PAGE_SIZE), range->end);
	if (target > upto && commit_exactly(range, target))
		return true;
	return commit_exactly(range, upto);
}
