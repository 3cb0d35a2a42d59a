/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tarjan's algorithm with a stack of its own, as a lost list can be as long as
 * memory. No edge is stored: each is found again in the buffers' words when it
 * is needed. A node is known by its rank among the nodes, so that all tables
 * are as long as there are lost buffers, not as there are buffers.
 *
 * When a reference is met, its target has been visited or is visited at once.
 * If it then already belongs to a knot, that knot was finished before ours:
 * it is another, and it is held. Else it is still on the stack, so it leads
 * back to us: one knot.
 */
#include "kdbg/leaks_knots.h"

#include "kdbg/session.h"
#include "kdbg/vector.h"

#include <stdlib.h>
#include <string.h>

#define NO_KNOT UINT32_MAX

enum { STEPS_PER_LOOK = 65536 };

struct frame {
	uint32_t node;
	size_t next; /* word to look at */
};

struct search {
	struct knots *knots;
	uint32_t *order; /* of the first visit, from 1; 0 not visited */
	uint32_t *low;   /* least order reachable within the stack */
	uint32_t *stack;
	size_t stack_count;
	struct frame *frames;
	size_t frame_count;
	uint32_t visited;
	uint32_t assigned; /* members given to knots */
	bool no_memory;
};

static struct err *no_memory(void)
{
	return err_new(ERR_NO_MEMORY, "no memory to sort leaks into groups");
}

bool knots_node(const struct knots *knots, struct scan_buffer buffer,
		uint32_t *node)
{
	uint64_t number = scan_number(knots->scan, buffer);
	uint64_t bits = knots->bits[number / 64];
	unsigned bit = number % 64;

	*node = knots->rank[number / 64] +
		(uint32_t)__builtin_popcountll(bits &
					       ((UINT64_C(1) << bit) - 1));
	return bits >> bit & 1;
}

static enum reach_class class_of(const struct knots *knots, uint32_t node)
{
	return reach_class_of(knots->reach,
			      scan_number(knots->scan, knots->nodes[node]));
}

bool knots_edge(const struct knots *knots, uint32_t from, uint64_t word,
		uint32_t *to)
{
	struct scan_extent extent;
	struct scan_buffer buffer;

	if (!scan_in_range(knots->scan, word) ||
	    !scan_find(knots->scan, word, &buffer) ||
	    !knots_node(knots, buffer, to) || *to == from)
		return false;
	extent = scan_extent(knots->scan, buffer);
	return word - extent.user <= extent.size &&
	       class_of(knots, *to) == class_of(knots, from);
}

static void enter(struct search *search, uint32_t node)
{
	struct frame *grown = vector_grow(search->frames, search->frame_count,
					  sizeof(*grown));

	if (!grown) {
		search->no_memory = true;
		return;
	}
	search->frames = grown;
	grown[search->frame_count++] = (struct frame){ .node = node };
	search->order[node] = search->low[node] = ++search->visited;
	search->stack[search->stack_count++] = node;
}

static void lower(struct search *search, uint32_t node, uint32_t to)
{
	if (to < search->low[node])
		search->low[node] = to;
}

/* Look at the node's words until one leads to a node not yet visited, which is
 * entered. False: no word is left. */
static bool step(struct search *search, struct frame *frame)
{
	struct knots *knots = search->knots;
	uint32_t node = frame->node, to;
	size_t count;
	const char *words = scan_words(knots->scan, knots->nodes[node], &count);

	while (words && frame->next < count) {
		if (!knots_edge(knots, node,
				scan_pointer(knots->scan, words, frame->next++),
				&to))
			continue;
		if (!search->order[to]) {
			enter(search, to); /* frame is not valid any more */
			return true;
		}
		if (knots->knot_of[to] == NO_KNOT)
			lower(search, node, search->order[to]);
		else
			knots->held[knots->knot_of[to]] = true;
	}
	return false;
}

/* All that lies above node on the stack, and node, are one knot. */
static void close_knot(struct search *search, uint32_t node)
{
	struct knots *knots = search->knots;
	uint32_t knot = (uint32_t)knots->knot_count++, member;

	knots->starts[knot] = search->assigned;
	do {
		member = search->stack[--search->stack_count];
		knots->knot_of[member] = knot;
		knots->members[search->assigned++] = member;
	} while (member != node);
	knots->starts[knot + 1] = search->assigned;
}

static void leave(struct search *search)
{
	struct knots *knots = search->knots;
	uint32_t node = search->frames[--search->frame_count].node;

	if (search->low[node] == search->order[node])
		close_knot(search, node);
	if (!search->frame_count)
		return;
	if (knots->knot_of[node] == NO_KNOT)
		lower(search, search->frames[search->frame_count - 1].node,
		      search->low[node]);
	else
		knots->held[knots->knot_of[node]] = true;
}

static struct err *visit_all(struct search *search)
{
	struct knots *knots = search->knots;
	struct session *session = knots->session;
	uint64_t steps = 0;

	for (uint32_t node = 0; node < knots->node_count; node++) {
		if (!search->order[node])
			enter(search, node);
		while (search->frame_count && !search->no_memory) {
			if (!step(search,
				  &search->frames[search->frame_count - 1]))
				leave(search);
			if (++steps % STEPS_PER_LOOK)
				continue;
			if (session_interrupted(session))
				return err_new(ERR_IO,
					       "interrupted while grouping");
			if (session->progress)
				session->progress(session, "grouping",
						  search->assigned,
						  knots->node_count);
		}
	}
	return search->no_memory ? no_memory() : NULL;
}

static struct err *find_knots(struct knots *knots)
{
	struct search search = { .knots = knots };
	size_t count = knots->node_count;
	struct err *err;

	knots->knot_of = malloc((count + 1) * sizeof(uint32_t));
	knots->members = malloc((count + 1) * sizeof(uint32_t));
	knots->starts = calloc(count + 1, sizeof(uint32_t));
	knots->held = calloc(count + 1, sizeof(bool));
	search.order = calloc(count + 1, sizeof(uint32_t));
	search.low = malloc((count + 1) * sizeof(uint32_t));
	search.stack = malloc((count + 1) * sizeof(uint32_t));
	if (knots->knot_of && knots->members && knots->starts && knots->held &&
	    search.order && search.low && search.stack) {
		memset(knots->knot_of, 0xff, count * sizeof(uint32_t));
		err = visit_all(&search);
	} else {
		err = no_memory();
	}
	free(search.order);
	free(search.low);
	free(search.stack);
	free(search.frames);
	return err;
}

/* The nodes are the lost buffers that are wanted. */
static struct err *find_nodes(struct knots *knots, knot_fn *wanted,
			      void *context)
{
	struct scan *scan = knots->scan;
	size_t words = scan->buffer_count / 64 + 1;
	uint64_t count = 0;

	knots->bits = calloc(words, sizeof(*knots->bits));
	knots->rank = calloc(words, sizeof(*knots->rank));
	if (!knots->bits || !knots->rank)
		return no_memory();
	for (uint32_t slab = 0; slab < scan->slab_count; slab++) {
		uint64_t first = scan->slabs[slab].first_buffer;
		uint64_t end = first + scan->slabs[slab].buffers;

		for (uint64_t number = first;
		     (number = reach_next_lost(knots->reach, number, end)) <
		     end;
		     number++) {
			struct scan_buffer buffer = { slab, (uint32_t)(number -
								       first) };

			if (!wanted(context, buffer))
				continue;
			knots->bits[number / 64] |= UINT64_C(1) << number % 64;
			count++;
		}
	}
	if (count >= NO_KNOT)
		return err_new(ERR_UNSUPPORTED,
			       "more leaks than 32 bits count");
	for (size_t i = 0; i < words; i++) {
		knots->rank[i] = (uint32_t)knots->node_count;
		knots->node_count +=
			(size_t)__builtin_popcountll(knots->bits[i]);
	}
	return NULL;
}

/* Where each node is. */
static struct err *place_nodes(struct knots *knots)
{
	struct scan *scan = knots->scan;
	size_t count = 0;

	knots->nodes = calloc(knots->node_count + 1, sizeof(*knots->nodes));
	if (!knots->nodes)
		return no_memory();
	for (uint32_t slab = 0; slab < scan->slab_count; slab++) {
		uint64_t first = scan->slabs[slab].first_buffer;
		uint64_t end = first + scan->slabs[slab].buffers;

		for (uint64_t number = first;
		     (number = reach_next_lost(knots->reach, number, end)) <
		     end;
		     number++)
			if (knots->bits[number / 64] >> number % 64 & 1)
				knots->nodes[count++] = (struct scan_buffer){
					slab, (uint32_t)(number - first)
				};
	}
	return NULL;
}

struct err *knots_create(struct session *session, const struct reach *reach,
			 knot_fn *wanted, void *context, struct knots **ret)
{
	struct knots *knots = calloc(1, sizeof(*knots));
	struct err *err;

	if (!knots)
		return no_memory();
	knots->session = session;
	knots->reach = reach;
	knots->scan = reach_scan(reach);
	err = find_nodes(knots, wanted, context);
	if (!err)
		err = place_nodes(knots);
	if (!err)
		err = find_knots(knots);
	if (err)
		knots_destroy(knots);
	else
		*ret = knots;
	return err;
}

void knots_destroy(struct knots *knots)
{
	if (!knots)
		return;
	free(knots->bits);
	free(knots->rank);
	free(knots->nodes);
	free(knots->knot_of);
	free(knots->members);
	free(knots->starts);
	free(knots->held);
	free(knots);
}
