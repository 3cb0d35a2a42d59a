/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From knots to groups.
 *
 * A knot is told by its leader: its oldest buffer, then the one of the lowest
 * address. Knots are one group when they are of one class and their leaders
 * came from one cache and one stack; stacks that differ in frame 0 alone
 * (which entry of the allocator was called) are the same.
 */
#include "kdbg/leaks_internal.h"
#include "kdbg/vector.h"

#include <stdlib.h>
#include <string.h>

#define NO_GROUP UINT32_MAX

struct grouping {
	struct leaks *leaks;
	uint32_t *slots; /* hash of groups by key: index + 1, or 0 */
	size_t slot_count;
};

static enum leak_class class_of(const struct leaks *leaks, uint32_t knot)
{
	const struct knots *knots = leaks->knots;
	uint32_t node = knots->members[knots->starts[knot]];
	uint64_t number = scan_number(knots->scan, knots->nodes[node]);

	if (reach_class_of(knots->reach, number) == REACH_POSSIBLE)
		return LEAK_POSSIBLE;
	return knots->held[knot] ? LEAK_INDIRECT : LEAK_DEFINITE;
}

/* The frames that tell groups apart. */
static size_t key_frames(struct heap *heap, const struct leak_group *group,
			 const uint64_t **pcs)
{
	uint32_t flags;
	size_t depth =
		heap_stack(heap, group->instance, group->stack, pcs, &flags);

	if (depth < 2)
		return depth;
	++*pcs;
	return depth - 1;
}

static uint64_t key_hash(struct heap *heap, const struct leak_group *group)
{
	const uint64_t *pcs = NULL;
	size_t count = key_frames(heap, group, &pcs);
	uint64_t hash = (uint64_t)group->class * 31 + group->cache;

	for (size_t i = 0; i < count; i++) {
		hash = (hash ^ pcs[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return hash;
}

static bool key_equal(struct heap *heap, const struct leak_group *a,
		      const struct leak_group *b)
{
	const uint64_t *x = NULL, *y = NULL;
	size_t count;

	if (a->class != b->class || a->cache != b->cache ||
	    a->instance != b->instance)
		return false;
	if (a->stack == b->stack)
		return true;
	count = key_frames(heap, a, &x);
	return count == key_frames(heap, b, &y) &&
	       (!count || memcmp(x, y, count * sizeof(*x)) == 0);
}

static uint32_t *find_slot(const struct grouping *grouping,
			   const struct leak_group *key)
{
	const struct leaks *leaks = grouping->leaks;
	size_t mask = grouping->slot_count - 1;
	size_t at = (size_t)key_hash(leaks->heap, key) & mask;

	while (grouping->slots[at] &&
	       !key_equal(leaks->heap, &leaks->groups[grouping->slots[at] - 1],
			  key))
		at = (at + 1) & mask;
	return &grouping->slots[at];
}

/* Room for one more group in the hash, which is at most half full. */
static bool grow_slots(struct grouping *grouping)
{
	struct leaks *leaks = grouping->leaks;

	if (2 * (leaks->group_count + 1) <= grouping->slot_count)
		return true;
	free(grouping->slots);
	grouping->slot_count =
		grouping->slot_count ? 2 * grouping->slot_count : 64;
	grouping->slots =
		calloc(grouping->slot_count, sizeof(*grouping->slots));
	if (!grouping->slots)
		return false;
	for (size_t i = 0; i < leaks->group_count; i++)
		*find_slot(grouping, &leaks->groups[i]) = (uint32_t)i + 1;
	return true;
}

/* The group of that key, made if need be. */
static struct leak_group *find_group(struct grouping *grouping,
				     const struct leak_group *key)
{
	struct leaks *leaks = grouping->leaks;
	struct leak_group *grown;
	uint32_t *slot;

	if (!grow_slots(grouping))
		return NULL;
	slot = find_slot(grouping, key);
	if (*slot)
		return &leaks->groups[*slot - 1];
	grown = vector_grow(leaks->groups, leaks->group_count, sizeof(*grown));
	if (!grown)
		return NULL;
	leaks->groups = grown;
	grown[leaks->group_count++] = *key;
	*slot = (uint32_t)leaks->group_count;
	return &grown[leaks->group_count - 1];
}

static bool is_older(const struct heap_buffer *a, const struct heap_buffer *b)
{
	if (a->alloc.time != b->alloc.time)
		return a->alloc.time < b->alloc.time;
	return a->user < b->user;
}

static void count_buffer(struct leak_group *group,
			 const struct heap_buffer *buffer)
{
	uint64_t time = buffer->alloc.time;

	group->leaked++;
	group->bytes += buffer->size;
	if (buffer->size > group->largest)
		group->largest = buffer->size;
	if (group->leaked == 1 || buffer->size < group->smallest)
		group->smallest = buffer->size;
	if (time && (!group->first_time || time < group->first_time))
		group->first_time = time;
	if (time > group->last_time)
		group->last_time = time;
}

/* The group that begins with this buffer. */
static struct leak_group group_of_leader(const struct leaks *leaks,
					 enum leak_class class,
					 const struct heap_buffer *leader)
{
	const struct heap_slab *slabs;

	heap_slabs(leaks->heap, &slabs);
	return (struct leak_group){
		.class = class,
		.cache = slabs[leader->slab].cache,
		.instance = leader->alloc.instance,
		.stack = leader->alloc.stack,
		.address = leader->user,
		.bufctl = leader->bufctl,
		.leader_time = leader->alloc.time,
		.large = slabs[leader->slab].large,
	};
}

static bool leader_of(const struct leaks *leaks, uint32_t knot,
		      struct heap_buffer *ret)
{
	const struct knots *knots = leaks->knots;
	bool found = false;

	for (uint32_t i = knots->starts[knot]; i < knots->starts[knot + 1];
	     i++) {
		struct heap_buffer buffer;

		if (!leaks_get(leaks, knots->members[i], &buffer))
			continue;
		if (!found || is_older(&buffer, ret))
			*ret = buffer;
		found = true;
	}
	return found;
}

static void take_leader(struct leak_group *group, const struct leak_group *key)
{
	if (key->leader_time > group->leader_time ||
	    (key->leader_time == group->leader_time &&
	     key->address >= group->address))
		return;
	group->leader_time = key->leader_time;
	group->stack = key->stack;
	group->address = key->address;
	group->bufctl = key->bufctl;
}

/* Count a knot in its group. */
static bool place_knot(struct grouping *grouping, uint32_t knot)
{
	struct leaks *leaks = grouping->leaks;
	const struct knots *knots = leaks->knots;
	struct heap_buffer leader = { 0 }, buffer;
	struct leak_group key, *group;

	leaks->group_of[knot] = NO_GROUP;
	if (!leader_of(leaks, knot, &leader))
		return true;
	key = group_of_leader(leaks, class_of(leaks, knot), &leader);
	group = find_group(grouping, &key);
	if (!group)
		return false;
	leaks->group_of[knot] = (uint32_t)(group - leaks->groups);
	group->knots++;
	group->cycle |= knot_size(knots, knot) > 1;
	take_leader(group, &key);
	for (uint32_t i = knots->starts[knot]; i < knots->starts[knot + 1]; i++)
		if (leaks_get(leaks, knots->members[i], &buffer))
			count_buffer(group, &buffer);
	return true;
}

struct err *leaks_find_groups(struct leaks *leaks)
{
	struct grouping grouping = { .leaks = leaks };
	size_t count = leaks->knots->knot_count;
	bool done = true;

	leaks->group_of = calloc(count + 1, sizeof(*leaks->group_of));
	if (!leaks->group_of)
		return leaks_no_memory();
	for (uint32_t knot = 0; done && knot < count; knot++)
		done = place_knot(&grouping, knot);
	free(grouping.slots);
	if (!done)
		return leaks_no_memory();
	for (size_t i = 0; i < count; i++)
		if (leaks->group_of[i] == NO_GROUP)
			leaks->group_of[i] = (uint32_t)leaks->group_count;
	for (size_t i = 0; i < leaks->group_count; i++)
		leaks->groups[i].caller = heap_stack_caller(
			leaks->heap, leaks->groups[i].instance,
			leaks->groups[i].stack);
	return NULL;
}
