/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/leaks.h"

#include "kdbg/leaks_internal.h"
#include "kdbg/session.h"

#include <stdlib.h>
#include <string.h>

const char *leak_class_name(enum leak_class class)
{
	static const char *const names[LEAK_CLASS_COUNT] = {
		[LEAK_DEFINITE] = "definite",
		[LEAK_POSSIBLE] = "possible",
		[LEAK_INDIRECT] = "indirect",
	};

	return names[class];
}

struct err *leaks_no_memory(void)
{
	return err_new(ERR_NO_MEMORY, "no memory for groups of leaks");
}

bool leaks_get(const struct leaks *leaks, uint32_t node,
	       struct heap_buffer *ret)
{
	struct scan_buffer buffer = leaks->knots->nodes[node];

	return heap_buffer_get(leaks->heap, buffer.slab, buffer.index, ret);
}

static bool is_judged(void *context, struct scan_buffer buffer)
{
	const struct leaks *leaks = context;
	const struct reach *other = leaks->options.reached_by;
	struct heap_buffer full;

	if (other &&
	    reach_class_of(other, scan_number(reach_scan(other), buffer)) <
		    REACH_POSSIBLE)
		return false;
	if (!leaks->options.since)
		return true;
	return heap_buffer_get(leaks->heap, buffer.slab, buffer.index, &full) &&
	       full.alloc.time > leaks->options.since;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_groups(const void *a, const void *b)
{
	const struct leak_group *x = a, *y = b;

	if (x->class != y->class)
		return compare(x->class, y->class);
	if (x->retained != y->retained)
		return compare(y->retained, x->retained);
	if (x->bytes != y->bytes)
		return compare(y->bytes, x->bytes);
	if (x->cache != y->cache)
		return compare(x->cache, y->cache);
	if (x->caller != y->caller)
		return compare(x->caller, y->caller);
	if (x->leader_time != y->leader_time)
		return compare(x->leader_time, y->leader_time);
	return compare(x->address, y->address);
}

/* Sort the groups and let group_of follow. */
static struct err *sort_groups(struct leaks *leaks)
{
	uint32_t *now = calloc(leaks->group_count + 1, sizeof(*now));

	if (!now)
		return leaks_no_memory();
	for (size_t i = 0; i < leaks->group_count; i++)
		leaks->groups[i].number = (uint32_t)i;
	if (leaks->group_count)
		qsort(leaks->groups, leaks->group_count, sizeof(*leaks->groups),
		      compare_groups);
	for (size_t i = 0; i < leaks->group_count; i++) {
		now[leaks->groups[i].number] = (uint32_t)i;
		leaks->groups[i].number = (uint32_t)i;
	}
	for (size_t i = 0; i < leaks->knots->knot_count; i++)
		if (leaks->group_of[i] < leaks->group_count)
			leaks->group_of[i] = now[leaks->group_of[i]];
	free(now);
	return NULL;
}

/* The knots of each group, by a counting sort. */
static struct err *index_groups(struct leaks *leaks)
{
	size_t groups = leaks->group_count + 1;
	size_t knots = leaks->knots->knot_count, *starts;

	leaks->by_group = calloc(knots + 1, sizeof(*leaks->by_group));
	starts = calloc(groups + 1, sizeof(*starts));
	leaks->by_group_starts = starts;
	if (!leaks->by_group || !starts)
		return leaks_no_memory();
	for (size_t i = 0; i < knots; i++)
		starts[leaks->group_of[i]]++;
	for (size_t i = 1; i <= groups; i++)
		starts[i] += starts[i - 1];
	for (size_t i = knots; i-- > 0;)
		leaks->by_group[--starts[leaks->group_of[i]]] = (uint32_t)i;
	return NULL;
}

static void sum_up(struct leaks *leaks)
{
	struct leaks_totals *totals = &leaks->totals;

	for (size_t i = 0; i < leaks->group_count; i++) {
		const struct leak_group *group = &leaks->groups[i];

		totals->buffers[group->class] += group->leaked;
		totals->bytes[group->class] += group->bytes;
	}
}

struct err *leaks_create(struct session *session, struct reach *reach,
			 const struct leaks_options *options,
			 struct leaks **ret)
{
	struct leaks *leaks = calloc(1, sizeof(*leaks));
	struct err *err;

	if (!leaks)
		return leaks_no_memory();
	leaks->session = session;
	leaks->options = *options;
	err = session_heap(session, &leaks->heap);
	if (!err)
		err = knots_create(session, reach, is_judged, leaks,
				   &leaks->knots);
	if (!err)
		err = leaks_find_groups(leaks);
	if (!err)
		err = leaks_find_retained(leaks);
	if (!err)
		err = sort_groups(leaks);
	if (!err)
		err = index_groups(leaks);
	scan_forget(reach_scan(reach));
	if (err) {
		leaks_destroy(leaks);
		return err;
	}
	sum_up(leaks);
	*ret = leaks;
	return NULL;
}

void leaks_destroy(struct leaks *leaks)
{
	if (!leaks)
		return;
	knots_destroy(leaks->knots);
	free(leaks->groups);
	free(leaks->group_of);
	free(leaks->by_group);
	free(leaks->by_group_starts);
	free(leaks);
}

size_t leaks_groups(const struct leaks *leaks, const struct leak_group **ret)
{
	*ret = leaks->groups;
	return leaks->group_count;
}

const struct leaks_totals *leaks_totals(const struct leaks *leaks)
{
	return &leaks->totals;
}

static int compare_nodes(const void *a, const void *b)
{
	return compare(*(const uint32_t *)a, *(const uint32_t *)b);
}

static size_t collect_knot(const struct knots *knots, uint32_t knot,
			   uint32_t *nodes)
{
	size_t count = knot_size(knots, knot);

	if (nodes)
		memcpy(nodes, &knots->members[knots->starts[knot]],
		       count * sizeof(*nodes));
	return count;
}

/* The nodes of a group. They are numbered by address. */
static uint32_t *collect(const struct leaks *leaks, size_t group, size_t *ret)
{
	const size_t *starts = leaks->by_group_starts;
	uint32_t *nodes;
	size_t count = 0;

	for (size_t i = starts[group]; i < starts[group + 1]; i++)
		count += collect_knot(leaks->knots, leaks->by_group[i], NULL);
	nodes = malloc((count + 1) * sizeof(*nodes));
	if (!nodes)
		return NULL;
	count = 0;
	for (size_t i = starts[group]; i < starts[group + 1]; i++)
		count += collect_knot(leaks->knots, leaks->by_group[i],
				      nodes + count);
	qsort(nodes, count, sizeof(*nodes), compare_nodes);
	*ret = count;
	return nodes;
}

struct err *leaks_each(const struct leaks *leaks, size_t group, leak_fn *each,
		       void *context)
{
	struct heap_buffer buffer;
	size_t count;
	uint32_t *nodes = collect(leaks, group, &count);

	if (!nodes)
		return leaks_no_memory();
	for (size_t i = 0; i < count; i++)
		if (leaks_get(leaks, nodes[i], &buffer) &&
		    !each(context, &buffer))
			break;
	free(nodes);
	return NULL;
}

bool leaks_group_at(const struct leaks *leaks, uint64_t address, size_t *ret)
{
	const struct knots *knots = leaks->knots;
	struct heap_buffer buffer;
	uint32_t node;

	if (!heap_buffer_of_bufctl(leaks->heap, address, &buffer) &&
	    !heap_buffer_at(leaks->heap, address, &buffer))
		return false;
	if (!knots_node(
		    knots,
		    (struct scan_buffer){ (uint32_t)buffer.slab, buffer.index },
		    &node))
		return false;
	*ret = leaks->group_of[knots->knot_of[node]];
	return *ret < leaks->group_count;
}
