/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stack depot: each distinct stack once, for ever.
 *
 *	base | hash table of ids | stack | stack | module | stack | ... used
 *
 * Nothing is ever moved or freed, so an id stays good and readers need no
 * lock. An entry is written whole before the compare-and-swap of its bucket's
 * head publishes it. Memory is taken by advancing used; committing more of the
 * range needs the lock, and a caller who cannot have it at once (a signal
 * handler that interrupted the holder) goes without, which is counted.
 *
 * KMA_OPTIONS=stacks=SIZE bounds it: beyond, new stacks are not kept.
 *
 * Module records lie here too, as they have the same needs.
 */
#include "alloc/stack.h"

#include "alloc/lock.h"
#include "alloc/options.h"
#include "alloc/range.h"
#include "alloc/root.h"

#include <sched.h>
#include <string.h>

enum {
	TABLE_SIZE = 1 << 18, /* ids; a megabyte, mostly untouched */
	COMMIT_STEP = 1 << 20,
	LOCK_TRIES = 64,
};

static struct kma_depot depot;
struct kma_lock kma_depot_lock;

bool kma_depot_init(void)
{
	struct kma_range *range = &kma_reserve.depot;
	size_t table = TABLE_SIZE * sizeof(depot.table[0]);

	if (!kma_range_commit(range, range->base + table + COMMIT_STEP))
		return false;
	depot.base = (char *)range->base;
	depot.table = (uint32_t *)range->base;
	depot.table_mask = TABLE_SIZE - 1;
	depot.used = table;
	depot.capacity = range->end - range->base;
	if (depot.capacity > table + kma_options.stacks_max)
		depot.capacity = table + kma_options.stacks_max;
	if (depot.capacity > (uint64_t)UINT32_MAX * KMA_STACK_UNIT)
		depot.capacity = (uint64_t)UINT32_MAX * KMA_STACK_UNIT;
	kma_root.depot = &depot;
	return true;
}

/* Make the first upto bytes usable. */
static bool commit(uint64_t upto)
{
	struct kma_range *range = &kma_reserve.depot;
	uintptr_t wanted = range->base + upto, target = wanted + COMMIT_STEP;
	bool done = false;

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (__atomic_load_n(&range->committed, __ATOMIC_ACQUIRE) >=
		    wanted)
			return true;
		if (!kma_lock_try(&kma_depot_lock)) {
			sched_yield();
			continue;
		}
		if (target > range->end)
			target = range->end;
		done = range->committed >= wanted ||
		       kma_range_commit(range, target);
		kma_lock_release(&kma_depot_lock);
		return done;
	}
	return false;
}

static size_t round_size(size_t size)
{
	return (size + KMA_STACK_UNIT - 1) & ~(size_t)(KMA_STACK_UNIT - 1);
}

void *kma_depot_alloc(size_t size)
{
	uint64_t at = __atomic_load_n(&depot.used, __ATOMIC_RELAXED);

	size = round_size(size);
	do {
		if (size > depot.capacity - at || !commit(at + size)) {
			__atomic_fetch_add(&depot.dropped, 1, __ATOMIC_RELAXED);
			return NULL;
		}
	} while (!__atomic_compare_exchange_n(&depot.used, &at, at + size, true,
					      __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return depot.base + at;
}

void kma_depot_trim(void *p, size_t size, size_t kept)
{
	uint64_t end = (uint64_t)((char *)p - depot.base) + round_size(size);
	size_t rest = round_size(size) - round_size(kept);

	memset((char *)p + round_size(kept), 0, rest);
	__atomic_compare_exchange_n(&depot.used, &end, end - rest, false,
				    __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

static struct kma_stack *entry(uint32_t id)
{
	return (struct kma_stack *)(depot.base + (uint64_t)id * KMA_STACK_UNIT);
}

static bool is_same(const uint64_t *a, const uint64_t *b, size_t depth)
{
	for (; depth >= 4; depth -= 4, a += 4, b += 4)
		if ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) |
		    (a[3] ^ b[3]))
			return false;
	for (; depth > 0; depth--)
		if (*a++ != *b++)
			return false;
	return true;
}

/* Among the entries of a chain, up to the one called stop. */
static uint32_t search(uint32_t id, uint32_t stop, const struct kma_stack *key,
		       const uint64_t *pc)
{
	for (; id != stop; id = entry(id)->next) {
		const struct kma_stack *e = entry(id);

		if (e->hash == key->hash && e->depth == key->depth &&
		    e->flags == key->flags && is_same(e->pc, pc, key->depth))
			return id;
	}
	return 0;
}

uint32_t kma_depot_intern(uint64_t hash, const uint64_t *pc, size_t depth,
			  uint16_t flags)
{
	struct kma_stack key = {
		.hash = (uint32_t)hash,
		.depth = (uint16_t)depth,
		.flags = flags,
	};

	if (!depot.table || depth == 0)
		return 0;
	uint32_t *head = &depot.table[(hash >> 32) & depot.table_mask];
	uint32_t first = __atomic_load_n(head, __ATOMIC_ACQUIRE);
	uint32_t id = search(first, 0, &key, pc);
	if (id)
		return id;

	struct kma_stack *new =
		kma_depot_alloc(sizeof(*new) + depth * sizeof(pc[0]));
	if (!new)
		return 0;
	*new = key;
	memcpy(new->pc, pc, depth * sizeof(pc[0]));
	uint32_t searched = first;
	id = (uint32_t)(((char *)new - depot.base) / KMA_STACK_UNIT);
	for (;;) {
		new->next = first;
		if (__atomic_compare_exchange_n(head, &first, id, false,
						__ATOMIC_RELEASE,
						__ATOMIC_ACQUIRE))
			break;
		uint32_t other = search(first, searched, &key, pc);
		if (other)
			return other; /* the space of ours is lost: rare */
		searched = first;
	}
	__atomic_fetch_add(&depot.count, 1, __ATOMIC_RELAXED);
	return id;
}

const struct kma_stack *kma_stack_get(uint32_t id)
{
	uint64_t at = (uint64_t)id * KMA_STACK_UNIT;
	uint64_t used = __atomic_load_n(&depot.used, __ATOMIC_ACQUIRE);

	if (id == 0 || at + sizeof(struct kma_stack) > used)
		return NULL;
	const struct kma_stack *stack = entry(id);
	return stack->depth * sizeof(stack->pc[0]) <= used - at - sizeof(*stack)
		       ? stack
		       : NULL;
}

void kma_depot_fork_child(void)
{
	kma_lock_reset(&kma_depot_lock);
}
