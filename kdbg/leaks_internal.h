/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the parts of leaks.h: leaks.c, leaks_groups.c, leaks_retained.c. */
#ifndef KDBG_LEAKS_INTERNAL_H
#define KDBG_LEAKS_INTERNAL_H

#include "kdbg/leaks.h"
#include "kdbg/leaks_knots.h"

struct leaks {
	struct session *session;
	struct heap *heap;
	struct leaks_options options;
	struct knots *knots;
	struct leak_group *groups;
	size_t group_count;
	uint32_t *group_of; /* by knot; group_count: cannot be read any more */
	uint32_t *by_group; /* knots, group after group */
	size_t *by_group_starts;
	struct leaks_totals totals;
};

struct err *leaks_no_memory(void) MUST_USE;

/* The buffer that is a node of the knots. */
bool leaks_get(const struct leaks *leaks, uint32_t node,
	       struct heap_buffer *ret);

/* Fill groups, but for retained, and group_of. */
struct err *leaks_find_groups(struct leaks *leaks) MUST_USE;

/* Fill retained. */
struct err *leaks_find_retained(struct leaks *leaks) MUST_USE;

#endif
