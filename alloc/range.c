/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One mmap for everything. The sizes are addresses, not memory: what is not
 * committed costs nothing, so the parts are as large as any program could want.
 * Where address space is limited, or one mapping of that size is refused, only
 * the place is chosen, and address space is taken as the parts grow.
 */
#include "alloc/range.h"

#include "alloc/pages.h"
#include "alloc/root.h"
#include "alloc/sys.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define MIB (UINT64_C(1) << 20)
#define TIB (UINT64_C(1) << 40)

static const uint64_t heap_max = 4 * TIB;
static const uint64_t heap_min = 16 * MIB;

/* Depot ids are 32 bits wide, in units of 8 bytes. */
static const uint64_t depot_max = UINT64_C(32) << 30;

/* A range grows by an eighth of itself, within these bounds. */
static const uint64_t step_min = MIB / 4;
static const uint64_t step_max = 64 * MIB;

static const uint64_t guard_size = MIB / 16;

/*
 * At tier audit a call touches three places where one would do without: the
 * buffer, its bufctl, and what comes out of quarantine; of a large heap each is
 * a page that the processor has to look up, and so is a new stack's name where
 * there are many. There heap, metadata and depot are of huge pages from
 * huge_from bytes on, where the system has them on request. Not at the tiers
 * that programs are released with: a page given back out of a huge one stays
 * away from other processes until the kernel is short of memory. What was there
 * before is put together when the part has collapse_from bytes, at once, where
 * the kernel does that (Linux 6.1).
 */
static const uint64_t huge_page = 2 * MIB; /* each part begins with one */
static const uint64_t huge_from = 4 * MIB;
static const uint64_t collapse_from = 8 * MIB;

struct kma_reserve kma_reserve;

/* Sizes of the parts beside the heap, as fractions of it. */
enum { META_SHARE = 2, DEPOT_SHARE = 16, LOG_SHARE = 8 };

enum { PARTS = 5 };

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
	at = round_up(at, huge_page);
	range->account = account;
	range->base = at;
	range->committed = at;
	range->held = at;
	range->end = at + round_up(size, KMA_PAGE_SIZE);
	return range->end + guard_size;
}

/* Lay the parts out from base; returns where the reserve ends. */
static uint64_t lay_out(struct kma_reserve *reserve, uint64_t base,
			uint64_t heap)
{
	uint64_t at = base + guard_size;

	reserve->base = base;
	at = lay_part(&reserve->page_map, KMA_ACCOUNT_PAGE_MAP, at,
		      (heap >> KMA_PAGE_SHIFT) * sizeof(uint64_t));
	at = lay_part(&reserve->meta, KMA_ACCOUNT_METADATA, at,
		      heap / META_SHARE);
	at = lay_part(&reserve->depot, KMA_ACCOUNT_STACKS, at,
		      at_most(heap / DEPOT_SHARE, depot_max));
	at = lay_part(&reserve->logs, KMA_ACCOUNT_LOG, at, heap / LOG_SHARE);
	at = lay_part(&reserve->heap, KMA_ACCOUNT_HEAP, at, heap);
	reserve->end = at;
	return at;
}

/* Below 4096 it is an error's number, negated. */
static bool is_error(long result)
{
	return result < 0 && result > -4096;
}

static long map_nothing(uintptr_t base, size_t size, int flags)
{
	/* Not MAP_NORESERVE: then the kernel would not account for what is
	 * committed later, and grant any size whatever. */
	return sys_call(SYS_mmap, (long)base, (long)size, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static struct kma_range *part(unsigned i)
{
	struct kma_range *parts[PARTS] = {
		&kma_reserve.page_map, &kma_reserve.meta, &kma_reserve.depot,
		&kma_reserve.logs,     &kma_reserve.heap,
	};

	return parts[i];
}

static void place(uint64_t base, uint64_t heap)
{
	lay_out(&kma_reserve, base, heap);
	kma_reserve.lookup.base = kma_reserve.heap.base;
	kma_reserve.lookup.words = (const uint64_t *)kma_reserve.page_map.base;
	kma_reserve.lookup.by_page =
		kma_reserve.page_map.base -
		(kma_reserve.heap.base >> KMA_PAGE_SHIFT) * sizeof(uint64_t);
}

static bool hold(uint64_t heap)
{
	struct kma_reserve plan;
	uint64_t size = lay_out(&plan, 0, heap), before;
	long mapped = map_nothing(0, size + huge_page, 0);

	if (is_error(mapped))
		return false;
	uint64_t base = round_up((uint64_t)mapped, huge_page);

	before = base - (uint64_t)mapped;
	if (before)
		sys_munmap((uintptr_t)mapped, before);
	sys_munmap(base + size, huge_page - before);
	place(base, heap);
	for (unsigned i = 0; i < PARTS; i++)
		part(i)->held = part(i)->end;
	sys_madvise(base, size, MADV_DONTDUMP);
	return true;
}

/* Right below where the kernel puts the next mapping, so that the kernel's
 * next ones come down on the heap's tail and on no other part. */
static bool choose(uint64_t heap)
{
	struct kma_reserve plan;
	uint64_t size = lay_out(&plan, 0, heap);
	long probe = map_nothing(0, KMA_PAGE_SIZE, 0);

	if (is_error(probe))
		return false;
	sys_munmap((uintptr_t)probe, KMA_PAGE_SIZE);
	if ((uint64_t)probe / 2 < size)
		return false;
	place(((uint64_t)probe - size) & ~(huge_page - 1), heap);
	return true;
}

/* unknown: where a filter lets nobody ask. */
static uint64_t limit_of(int resource, uint64_t unknown)
{
	struct rlimit limit;

	return sys_call(SYS_prlimit64, 0, resource, 0, (long)(uintptr_t)&limit,
			0, 0) < 0
		       ? unknown
		       : limit.rlim_cur;
}

uint64_t kma_address_limit(void)
{
	return limit_of(RLIMIT_AS, UINT64_MAX);
}

bool kma_mappings_are_limited(void)
{
	return limit_of(RLIMIT_AS, 0) != UINT64_MAX ||
	       limit_of(RLIMIT_DATA, 0) != UINT64_MAX;
}

bool kma_reserve_init(void)
{
	bool limited = kma_address_limit() != UINT64_MAX;

	for (uint64_t heap = heap_max; heap >= heap_min; heap /= 2)
		if (!limited && hold(heap))
			return true;
	for (uint64_t heap = heap_max; heap >= heap_min; heap /= 2)
		if (choose(heap))
			return true;
	return false;
}

void kma_reserve_let_go(void)
{
	for (unsigned i = 0; i < PARTS; i++) {
		struct kma_range *range = part(i);

		if (range->held > range->committed)
			sys_munmap(range->committed,
				   range->held - range->committed);
		range->held = range->committed;
	}
	kma_root.reserve_end = kma_root.heap_end = kma_reserve.heap.held;
}

/* Hold address space up to there. */
static bool extend(struct kma_range *range, uintptr_t upto)
{
	size_t size = upto - range->held;

	if (upto <= range->held)
		return true;
	long base = map_nothing(range->held, size, MAP_FIXED_NOREPLACE);

	if (is_error(base))
		return false;
	if ((uintptr_t)base != range->held) { /* before Linux 4.17: a hint */
		sys_munmap((uintptr_t)base, size);
		return false;
	}
	range->held = upto;
	if (range == &kma_reserve.heap)
		kma_root.reserve_end = kma_root.heap_end = upto;
	return true;
}

static bool is_huge(const struct kma_range *range)
{
	return kma_root.tier == KMA_TIER_AUDIT &&
	       (range == &kma_reserve.heap || range == &kma_reserve.meta ||
		range == &kma_reserve.depot) &&
	       range->committed - range->base >= huge_from;
}

/* Where a filter forbids the usual way, the pages are mapped anew; not where
 * there is no memory: the kernel may take the old mapping away first. */
static bool make_usable(uintptr_t base, size_t size)
{
	long result = sys_mprotect(base, size, PROT_READ | PROT_WRITE);

	if (result >= 0)
		return true;
	if (result == -ENOMEM)
		return false;
	if (sys_map_anew(base, size))
		return true;
	map_nothing(base, size, MAP_FIXED);
	return false;
}

static bool commit_exactly(struct kma_range *range, uintptr_t upto)
{
	size_t size = upto - range->committed;

	if (!extend(range, upto))
		return false;
	if (!make_usable(range->committed, size))
		return false;
	sys_madvise(range->committed, size, MADV_DODUMP);
	if (is_huge(range)) /* all of it: it is to stay one mapping */
		sys_madvise(range->base, upto - range->base, MADV_HUGEPAGE);
	if (is_huge(range) && range->committed - range->base < collapse_from &&
	    upto - range->base >= collapse_from)
		sys_madvise(range->base,
			    (range->committed - range->base) & ~(huge_page - 1),
			    SYS_COLLAPSE);
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
	target = round_up(target, is_huge(range) ? huge_page : KMA_PAGE_SIZE);
	target = at_most(target, range->end);
	if (target > upto && commit_exactly(range, target))
		return true;
	return commit_exactly(range, upto);
}
