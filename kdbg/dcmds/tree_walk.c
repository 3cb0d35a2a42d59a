/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/dcmds/tree_walk.h"

#include "kdbg/address_set.h"
#include "kdbg/vector.h"

#include <stdlib.h>

struct progress {
	struct tree_walk *walk;
	struct address_set met;
	uint64_t *path; /* nodes whose left side is under way */
	size_t depth;
};

/* The node and those left of it, onto the path. */
static struct err *go_left(struct progress *progress, uint64_t node)
{
	struct tree_walk *walk = progress->walk;
	struct err *err = NULL;

	while (!err && node) {
		if (!address_set_add(&progress->met, node)) {
			walk->again++;
			return NULL;
		}
		uint64_t *path = vector_grow(progress->path, progress->depth,
					     sizeof(*path));
		if (!path)
			return err_new(ERR_NO_MEMORY, "out of memory");
		progress->path = path;
		path[progress->depth++] = node;
		err = walk->next(walk->context, node, TREE_LEFT, &node);
	}
	return err;
}

struct err *tree_walk(struct tree_walk *walk, uint64_t root)
{
	struct progress progress = { .walk = walk };
	struct err *err = go_left(&progress, root);

	while (!err && progress.depth) {
		uint64_t node = progress.path[--progress.depth];

		if (!walk->each(walk->context, node))
			break;
		err = walk->next(walk->context, node, TREE_RIGHT, &node);
		if (!err)
			err = go_left(&progress, node);
	}
	address_set_deinit(&progress.met);
	free(progress.path);
	return err;
}
