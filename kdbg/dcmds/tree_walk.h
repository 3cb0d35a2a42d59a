/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The nodes of a binary tree, in order, whatever leads from one to the next. */
#ifndef KDBG_DCMDS_TREE_WALK_H
#define KDBG_DCMDS_TREE_WALK_H

#include "dumpfmt/err.h"

#include <stdbool.h>
#include <stdint.h>

enum tree_side { TREE_LEFT, TREE_RIGHT };

struct tree_walk {
	/* *ret: the node on a side of this one, 0: none. */
	struct err *(*next)(void *context, uint64_t node, enum tree_side side,
			    uint64_t *ret);
	bool (*each)(void *context, uint64_t node); /* false: enough */
	void *context;
	/* Of the answer: links that led to what was met before, as they do in
	 * what is no tree, and were not followed. */
	uint64_t again;
};

struct err *tree_walk(struct tree_walk *walk, uint64_t root) MUST_USE;

#endif
