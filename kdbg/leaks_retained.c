/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What would be freed with a group.
 *
 * Owners go down the references: a knot that nothing holds is its own group's;
 * one that is held is owned by the group that owns all its holders, or by
 * nobody when they differ. Knots are numbered so that every holder has a
 * higher number, so one pass from the highest down settles all. retained is
 * the bytes of the knots that a group owns. A group of held knots owns none, or
 * not all of its own, and is told its own bytes.
 */
#include "kdbg/leaks_internal.h"

#include <stdlib.h>
#include <string.h>

#define NO_OWNER    UINT32_MAX
#define MANY_OWNERS (UINT32_MAX - 1)

/* Tell the knots that a node refers to who owns the node's. */
static void pass_down(const struct leaks *leaks, uint32_t *owners,
		      uint32_t node)
{
	const struct knots *knots = leaks->knots;
	uint32_t owner = owners[knots->knot_of[node]], to;
	size_t count;
	const char *words = scan_words(knots->scan, knots->nodes[node], &count);

	for (size_t i = 0; words && i < count; i++) {
		uint32_t *held;

		if (!knots_edge(knots, node, scan_load(words, i), &to) ||
		    knots->knot_of[to] == knots->knot_of[node])
			continue;
		held = &owners[knots->knot_of[to]];
		if (*held == NO_OWNER)
			*held = owner;
		else if (*held != owner)
			*held = MANY_OWNERS;
	}
}

static uint64_t knot_bytes(const struct leaks *leaks, uint32_t knot)
{
	const struct knots *knots = leaks->knots;
	uint64_t bytes = 0;

	for (uint32_t i = knots->starts[knot]; i < knots->starts[knot + 1]; i++)
		bytes += scan_extent(knots->scan,
				     knots->nodes[knots->members[i]])
				 .size;
	return bytes;
}

struct err *leaks_find_retained(struct leaks *leaks)
{
	const struct knots *knots = leaks->knots;
	uint32_t *owners = malloc((knots->knot_count + 1) * sizeof(*owners));

	if (!owners)
		return leaks_no_memory();
	memset(owners, 0xff, knots->knot_count * sizeof(*owners));
	for (uint32_t knot = (uint32_t)knots->knot_count; knot-- > 0;) {
		if (!knots->held[knot])
			owners[knot] = leaks->group_of[knot];
		if (owners[knot] < leaks->group_count)
			leaks->groups[owners[knot]].retained +=
				knot_bytes(leaks, knot);
		for (uint32_t i = knots->starts[knot];
		     i < knots->starts[knot + 1]; i++)
			pass_down(leaks, owners, knots->members[i]);
	}
	free(owners);
	for (size_t i = 0; i < leaks->group_count; i++)
		if (leaks->groups[i].retained < leaks->groups[i].bytes)
			leaks->groups[i].retained = leaks->groups[i].bytes;
	return NULL;
}
