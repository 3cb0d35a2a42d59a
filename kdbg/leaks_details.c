/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The circle is looked for breadth first in the leader's knot, from the leader
 * until a word leads back to it. Only nodes of that knot are ever touched, so a
 * report costs what its knots have of words.
 */
#include "kdbg/leaks_details.h"

#include "kdbg/leaks_internal.h"
#include "kdbg/session.h"
#include "kdbg/symbols.h"
#include "kdbg/target.h"
#include "kdbg/vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HINT_BYTES = 48, TEXT_MIN = 4 };

struct members {
	const struct leak_group *group;
	struct leak_details *details;
	uint32_t *threads;
	size_t count;
	bool no_memory;
};

static bool add_member(void *context, const struct heap_buffer *buffer)
{
	struct members *members = context;
	struct leak_details *details = members->details;
	uint32_t *grown;

	if (buffer->user != members->group->address &&
	    details->sample_count < LEAK_SAMPLES)
		details->samples[details->sample_count++] = buffer->user;
	if (!buffer->alloc.thread)
		return true;
	grown = vector_grow(members->threads, members->count, sizeof(*grown));
	members->no_memory = !grown;
	if (!grown)
		return false;
	members->threads = grown;
	grown[members->count++] = buffer->alloc.thread;
	return true;
}

static int compare_threads(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static struct err *find_members(const struct leaks *leaks,
				const struct leak_group *group,
				struct leak_details *ret)
{
	struct members members = { .group = group, .details = ret };
	struct err *err =
		leaks_each(leaks, group->number, add_member, &members);

	if (!err && members.no_memory)
		err = leaks_no_memory();
	if (members.count)
		qsort(members.threads, members.count, sizeof(uint32_t),
		      compare_threads);
	for (size_t i = 0; i < members.count; i++)
		ret->threads +=
			!i || members.threads[i] != members.threads[i - 1];
	free(members.threads);
	return err;
}

/* How many bytes of text there are, up to its end or the end of what is there;
 * 0: it is none. */
static size_t text_length(const char *bytes, size_t size)
{
	size_t length = 0;

	while (length < size && bytes[length] >= ' ' && bytes[length] <= '~')
		length++;
	return length == size || bytes[length] == '\0' || bytes[length] == '\n'
		       ? length
		       : 0;
}

static void find_hint(const struct leaks *leaks, const struct leak_group *group,
		      struct symbols *symbols, struct leak_details *ret)
{
	static const char vtable[] = "vtable for ";
	struct heap_buffer buffer;
	struct symbol symbol = { 0 };
	char bytes[HINT_BYTES] = "";
	uint64_t word = 0;
	size_t size, length;

	if (!heap_buffer_at(leaks->heap, group->address, &buffer))
		return;
	size = buffer.size < sizeof(bytes) ? buffer.size : sizeof(bytes);
	size = target_read_some(leaks->session->target, buffer.user, bytes,
				size);
	if (size >= sizeof(word))
		memcpy(&word, bytes, sizeof(word));
	if (symbols && word)
		symbols_at(symbols, word, &symbol);
	length = text_length(bytes, size);
	if (symbol.name && strncmp(symbol.name, vtable, strlen(vtable)) == 0)
		snprintf(ret->hint, sizeof(ret->hint), "%s",
			 symbol.name + strlen(vtable));
	else if (length >= TEXT_MIN)
		snprintf(ret->hint, sizeof(ret->hint), "\"%.*s\"%s",
			 (int)length, bytes,
			 length == sizeof(bytes) ? "..." : "");
}

/* --- the circle -------------------------------------------------------------
 */

struct visit {
	uint32_t node, from; /* from: index of the visit before */
	uint64_t address;    /* of the word there that leads here */
};

struct circle {
	const struct knots *knots;
	struct visit *visits;
	size_t count;
	uint64_t *seen; /* a bit for each node */
	bool no_memory;
};

static bool visit(struct circle *circle, uint32_t node, uint32_t from,
		  uint64_t address)
{
	struct visit *grown =
		vector_grow(circle->visits, circle->count, sizeof(*grown));

	if (!grown) {
		circle->no_memory = true;
		return false;
	}
	circle->visits = grown;
	grown[circle->count++] = (struct visit){ node, from, address };
	circle->seen[node / 64] |= UINT64_C(1) << node % 64;
	return true;
}

/* Go on from a visit. True: a word of it, *ret, leads back to the start. */
static bool go_round(struct circle *circle, uint32_t at, uint64_t *ret)
{
	const struct knots *knots = circle->knots;
	uint32_t start = circle->visits[0].node, node, to;
	struct scan_extent extent;
	size_t count;

	node = circle->visits[at].node;
	extent = scan_extent(knots->scan, knots->nodes[node]);
	const char *words = scan_words(knots->scan, knots->nodes[node], &count);

	for (size_t i = 0; words && i < count && !circle->no_memory; i++) {
		uint64_t address = ((extent.user + 7) & ~(uint64_t)7) +
				   scan_pointer_at(knots->scan, i);

		if (!knots_edge(knots, node,
				scan_pointer(knots->scan, words, i), &to) ||
		    knots->knot_of[to] != knots->knot_of[start])
			continue;
		if (to == start) {
			*ret = address;
			return true;
		}
		if (!(circle->seen[to / 64] >> to % 64 & 1))
			visit(circle, to, at, address);
	}
	return false;
}

/* The visits from the start to the last one, whose word at address closes the
 * circle. */
static void put_steps(const struct circle *circle, uint32_t last,
		      uint64_t address, struct leak_details *ret)
{
	const struct knots *knots = circle->knots;
	size_t length = 1;

	for (uint32_t at = last; at; at = circle->visits[at].from)
		length++;
	ret->cycle_length = length;
	ret->cycle_count = length < LEAK_CYCLE_MAX ? length : LEAK_CYCLE_MAX;
	for (uint32_t at = last;; at = circle->visits[at].from) {
		uint32_t node = circle->visits[at].node;

		if (--length < LEAK_CYCLE_MAX)
			ret->cycle[length] = (struct leak_step){
				scan_extent(knots->scan, knots->nodes[node])
					.user,
				address
			};
		if (!length)
			break;
		address = circle->visits[at].address;
	}
}

static struct err *find_cycle(const struct leaks *leaks,
			      const struct leak_group *group,
			      struct leak_details *ret)
{
	struct circle circle = { .knots = leaks->knots };
	struct heap_buffer buffer;
	uint64_t address;
	uint32_t node;

	if (!group->cycle ||
	    !heap_buffer_at(leaks->heap, group->address, &buffer) ||
	    !knots_node(
		    leaks->knots,
		    (struct scan_buffer){ (uint32_t)buffer.slab, buffer.index },
		    &node))
		return NULL;
	circle.seen =
		calloc(leaks->knots->node_count / 64 + 1, sizeof(*circle.seen));
	if (!circle.seen)
		return leaks_no_memory();
	visit(&circle, node, 0, 0);
	for (uint32_t at = 0; at < circle.count && !circle.no_memory; at++)
		if (go_round(&circle, at, &address)) {
			put_steps(&circle, at, address, ret);
			break;
		}
	scan_forget(leaks->knots->scan);
	free(circle.visits);
	free(circle.seen);
	return circle.no_memory ? leaks_no_memory() : NULL;
}

struct err *leaks_details(const struct leaks *leaks,
			  const struct leak_group *group,
			  struct symbols *symbols, struct leak_details *ret)
{
	struct err *err;

	*ret = (struct leak_details){ 0 };
	err = find_members(leaks, group, ret);
	if (!err)
		err = find_cycle(leaks, group, ret);
	find_hint(leaks, group, symbols, ret);
	return err;
}
