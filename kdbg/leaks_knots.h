/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Knots: which lost buffers refer to each other in a circle, and in what order
 * knots hang off each other.
 *
 * A knot is a strongly connected component of the graph whose nodes are the
 * buffers asked about and whose edges are their references, plain or inner. A
 * buffer in no circle is a knot of its own. Knots are numbered so that a
 * reference from one to another leads to a lower number.
 */
#ifndef KDBG_LEAKS_KNOTS_H
#define KDBG_LEAKS_KNOTS_H

#include "kdbg/reach.h"
#include "kdbg/reach_scan.h"

struct session;

struct knots {
	struct session *session;
	struct scan *scan;
	const struct reach *reach;
	uint64_t *bits; /* one for each buffer of the heap: it is a node */
	uint32_t *rank; /* nodes before each 64 of them */
	struct scan_buffer *nodes;
	uint32_t *knot_of; /* by node */
	size_t node_count;
	uint32_t *members; /* nodes, knot after knot */
	uint32_t *starts;  /* knot k is members[starts[k] .. starts[k + 1]) */
	bool *held;        /* a node of another knot refers to knot k */
	size_t knot_count;
};

/* Is the buffer a node? */
typedef bool knot_fn(void *context, struct scan_buffer buffer);

struct err *knots_create(struct session *session, const struct reach *reach,
			 knot_fn *wanted, void *context,
			 struct knots **ret) MUST_USE;
void knots_destroy(struct knots *knots);

bool knots_node(const struct knots *knots, struct scan_buffer buffer,
		uint32_t *node);

/* The node that a word refers to; only one of the same class as from. */
bool knots_edge(const struct knots *knots, uint32_t from, uint64_t word,
		uint32_t *to);

static inline uint32_t knot_size(const struct knots *knots, uint32_t knot)
{
	return knots->starts[knot + 1] - knots->starts[knot];
}

#endif
