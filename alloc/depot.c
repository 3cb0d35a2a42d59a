/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stack depot: each distinct stack once, for ever.
 *
 *	base | names | stack | stack | module | names | stack | ... used
 *
 * Nothing is ever moved or freed, so an id stays good and readers need no
 * lock. Names (stack_names.h) are a tree of lines: the hash's upper bits tell
 * which of the first, and the next four bits which of the sixteen that a line
 * gets for more when it is full. So the table is small where there are ten
 * stacks, and where there are a million three lines have to be looked at.
 *
 * A stack is written whole before the compare-and-swap of a line's first free
 * id publishes it, and the hash beside that is stored last. Who adds one looks
 * at every id on the way to the free one, at the stack itself where the hash is
 * missing yet: no stack gets in twice.
 *
 * Memory is taken by advancing used; committing more of the range needs the
 * lock, and a caller who cannot have it at once (a signal handler that
 * interrupted the holder) goes without, which is counted.
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
	FIRST_BITS = 12, /* of lines: 256 KiB, mostly untouched */
	MORE_BITS = 4,
	COMMIT_STEP = 1 << 20,
	LOCK_TRIES = 64,
};

static struct kma_depot depot;
struct kma_lock kma_depot_lock;

bool kma_depot_init(void)
{
	struct kma_range *range = &kma_reserve.depot;
	size_t table = sizeof(depot.names[0]) << FIRST_BITS;

	if (!kma_range_commit(range, range->base + table + COMMIT_STEP))
		return false;
	depot.base = (char *)range->base;
	depot.names = (struct kma_names *)range->base;
	depot.table_mask = table / sizeof(uint32_t) - 1;
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

/* --- names ------------------------------------------------------------------
 */

static struct kma_names *names_at(uint32_t place)
{
	return (struct kma_names *)(depot.base +
				    (uint64_t)place * KMA_STACK_UNIT);
}

/* More lines below one that is full; 0: no memory. */
static uint32_t add_lines(struct kma_names *line)
{
	size_t size = sizeof(*line) << MORE_BITS;
	char *room = kma_depot_alloc(size + sizeof(*line) - KMA_STACK_UNIT);
	uint32_t none = 0;

	if (!room)
		return 0;
	room += -(uintptr_t)room % sizeof(*line);
	uint32_t place = (uint32_t)((room - depot.base) / KMA_STACK_UNIT);
	/* Where another was first, ours is lost: rare. */
	return __atomic_compare_exchange_n(&line->next, &none, place, false,
					   __ATOMIC_RELEASE, __ATOMIC_ACQUIRE)
		       ? place
		       : none;
}

/* A line on the way to a hash's name. */
struct way {
	struct kma_names *line;
	uint64_t rest; /* of the hash: its upper bits tell which line is next */
};

static inline struct way way_begin(uint64_t hash)
{
	return (struct way){ &depot.names[hash >> (64 - FIRST_BITS)],
			     hash << FIRST_BITS };
}

/* False: there is no line below. */
static inline bool way_on(struct way *way, bool add)
{
	uint32_t next = __atomic_load_n(&way->line->next, __ATOMIC_ACQUIRE);

	if (next == 0 && add)
		next = add_lines(way->line);
	if (next == 0)
		return false;
	way->line = names_at(next) + (way->rest >> (64 - MORE_BITS));
	way->rest <<= MORE_BITS;
	return true;
}

void kma_depot_foresee(uint64_t hash)
{
	__builtin_prefetch(&depot.names[hash >> (64 - FIRST_BITS)]);
}

uint32_t kma_depot_find(uint64_t hash)
{
	struct way way;
	uint32_t id;

	if (__builtin_expect(!depot.names, 0))
		return 0;
	way = way_begin(hash);
	do
		id = kma_names_find(way.line, hash);
	while (id == 0 && way_on(&way, false));
	return id;
}

/*
 * What place i of the line holds now, if it is that stack; id, if it was free;
 * else 0. Who has claimed it may have stopped before it stored the hash: that
 * is made up for.
 */
static uint32_t claim(struct kma_names *line, int i, uint64_t hash, uint32_t id)
{
	uint32_t there = 0;
	uint64_t other = hash;

	if (!__atomic_compare_exchange_n(&line->id[i], &there, id, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		other = entry(there)->hash;
	__atomic_store_n(&line->hash[i], other, __ATOMIC_RELEASE);
	if (there == 0)
		return id;
	return other == hash ? there : 0;
}

/* Name a stack that is complete; the id it has by now. 0: no memory. */
static uint32_t put_name(uint64_t hash, uint32_t id)
{
	struct way way = way_begin(hash);

	do
		for (int i = 0; i < KMA_NAMES_EACH; i++) {
			uint64_t other = __atomic_load_n(&way.line->hash[i],
							 __ATOMIC_ACQUIRE);
			uint32_t now = 0;

			if (other == 0 || other == hash)
				now = claim(way.line, i, hash, id);
			if (now)
				return now;
		}
	while (way_on(&way, true));
	return 0;
}

__attribute__((noinline)) static uint32_t
put_stack(const struct kma_stack *head, const uint64_t *pc)
{
	size_t size = head->depth * sizeof(pc[0]);
	struct kma_stack *new = kma_depot_alloc(sizeof(*new) + size);

	if (!new)
		return 0;
	*new = *head;
	memcpy(new->pc, pc, size);

	uint32_t id = (uint32_t)(((char *)new - depot.base) / KMA_STACK_UNIT);
	uint32_t named = put_name(head->hash, id);

	if (named == id)
		__atomic_fetch_add(&depot.count, 1, __ATOMIC_RELAXED);
	return named;
}

uint32_t kma_depot_intern(uint64_t hash, const uint64_t *pc, size_t depth,
			  uint16_t flags)
{
	struct kma_stack head = {
		.hash = flags ? kma_stack_hash_step(hash, flags) : hash,
		.depth = (uint16_t)depth,
		.flags = flags,
	};

	if (!depot.names || depth == 0)
		return 0;
	uint32_t id = kma_depot_find(head.hash);
	return id ? id : put_stack(&head, pc);
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
