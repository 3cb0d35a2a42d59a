/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What would be freed with a group: the dominator tree of the lost.
 *
 *	root --> each group with knots that nothing holds --> those knots -->
 *...
 *
 * A knot's dominator is the last one that every way to it from the root goes
 * through; what a knot dominates would be freed with it. Knots are numbered so
 * that every holder has a higher number than what it holds: going down the
 * numbers, all holders of a knot are done when its turn comes, and its
 * dominator is the nearest common ancestor of theirs. No iteration is needed.
 * Ancestors are found by jump pointers, so that a list of a million is no
 * trouble.
 *
 * Groups of unheld knots stand in the tree themselves, so what several knots of
 * one such group share is theirs. retained of a group is the sum of what its
 * topmost members dominate, themselves included.
 */
#include "kdbg/leaks_internal.h"

#include <stdlib.h>

#define NOWHERE UINT32_MAX

/* Knots have their own numbers, group g is knot_count + g, then the root. */
struct tree {
	struct leaks *leaks;
	uint32_t knot_count, root;
	uint32_t *parent; /* the dominator */
	uint32_t *jump;   /* an ancestor further up */
	uint32_t *depth;
	uint32_t *child, *sibling; /* first child, next of the same parent */
	uint64_t *bytes;           /* of all that is below, and its own */
	uint32_t *open;            /* by group: members on the way up */
};

static void hang(struct tree *tree, uint32_t node, uint32_t parent)
{
	uint32_t jump = tree->jump[parent];
	bool even = tree->depth[parent] - tree->depth[jump] ==
		    tree->depth[jump] - tree->depth[tree->jump[jump]];

	tree->parent[node] = parent;
	tree->depth[node] = tree->depth[parent] + 1;
	tree->jump[node] = even ? tree->jump[jump] : parent;
}

static uint32_t common_ancestor(const struct tree *tree, uint32_t a, uint32_t b)
{
	if (tree->depth[a] < tree->depth[b]) {
		uint32_t other = a;

		a = b;
		b = other;
	}
	while (tree->depth[a] > tree->depth[b])
		a = tree->depth[tree->jump[a]] >= tree->depth[b]
			    ? tree->jump[a]
			    : tree->parent[a];
	while (a != b) {
		bool far = tree->jump[a] != tree->jump[b];

		a = far ? tree->jump[a] : tree->parent[a];
		b = far ? tree->jump[b] : tree->parent[b];
	}
	return a;
}

/* Every reference of a node to another knot: that one's dominator so far. */
static void pass_down(struct tree *tree, uint32_t node)
{
	const struct knots *knots = tree->leaks->knots;
	uint32_t from = knots->knot_of[node], to;
	size_t count;
	const char *words = scan_words(knots->scan, knots->nodes[node], &count);

	for (size_t i = 0; words && i < count; i++) {
		uint32_t *parent;

		if (!knots_edge(knots, node,
				scan_pointer(knots->scan, words, i), &to) ||
		    knots->knot_of[to] == from)
			continue;
		parent = &tree->parent[knots->knot_of[to]];
		*parent = *parent == NOWHERE
				  ? from
				  : common_ancestor(tree, *parent, from);
	}
}

static uint64_t knot_bytes(const struct knots *knots, uint32_t knot)
{
	uint64_t bytes = 0;

	for (uint32_t i = knots->starts[knot]; i < knots->starts[knot + 1]; i++)
		bytes += scan_extent(knots->scan,
				     knots->nodes[knots->members[i]])
				 .size;
	return bytes;
}

static void grow_tree(struct tree *tree)
{
	const struct leaks *leaks = tree->leaks;
	const struct knots *knots = leaks->knots;

	tree->jump[tree->root] = tree->parent[tree->root] = tree->root;
	for (uint32_t i = tree->knot_count; i < tree->root; i++)
		hang(tree, i, tree->root);
	for (uint32_t knot = tree->knot_count; knot-- > 0;) {
		uint32_t parent = tree->parent[knot];

		if (parent == NOWHERE) /* not held */
			parent = tree->knot_count + leaks->group_of[knot];
		hang(tree, knot, parent);
		for (uint32_t i = knots->starts[knot];
		     i < knots->starts[knot + 1]; i++)
			pass_down(tree, knots->members[i]);
	}
}

/* Below what, and how much: children have lower numbers than their parents. */
static void weigh(struct tree *tree)
{
	for (uint32_t node = 0; node < tree->root; node++) {
		uint32_t parent = tree->parent[node];

		if (node < tree->knot_count)
			tree->bytes[node] +=
				knot_bytes(tree->leaks->knots, node);
		tree->bytes[parent] += tree->bytes[node];
		tree->sibling[node] = tree->child[parent];
		tree->child[parent] = node;
	}
}

static uint32_t group_of(const struct tree *tree, uint32_t node)
{
	return node < tree->knot_count ? tree->leaks->group_of[node]
				       : node - tree->knot_count;
}

static void enter(struct tree *tree, uint32_t node)
{
	uint32_t group = group_of(tree, node);

	if (group < tree->leaks->group_count && tree->open[group]++ == 0)
		tree->leaks->groups[group].retained += tree->bytes[node];
}

static void leave(struct tree *tree, uint32_t node)
{
	uint32_t group = group_of(tree, node);

	if (group < tree->leaks->group_count)
		tree->open[group]--;
}

/* Visit the tree; a member below another of its group adds nothing. */
static void add_up(struct tree *tree)
{
	uint32_t node = tree->child[tree->root];

	while (node != NOWHERE && node != tree->root) {
		enter(tree, node);
		if (tree->child[node] != NOWHERE) {
			node = tree->child[node];
			continue;
		}
		leave(tree, node);
		while (tree->sibling[node] == NOWHERE) {
			node = tree->parent[node];
			if (node == tree->root)
				return;
			leave(tree, node);
		}
		node = tree->sibling[node];
	}
}

static uint32_t *make_links(size_t count)
{
	uint32_t *links = malloc(count * sizeof(*links));

	for (size_t i = 0; links && i < count; i++)
		links[i] = NOWHERE;
	return links;
}

struct err *leaks_find_retained(struct leaks *leaks)
{
	uint64_t count = (uint64_t)leaks->knots->knot_count +
			 leaks->group_count + 2; /* one for unreadable knots */
	struct tree tree = { .leaks = leaks };
	struct err *err = NULL;

	if (count >= NOWHERE)
		return err_new(ERR_UNSUPPORTED,
			       "more leaks than 32 bits count");
	tree.knot_count = (uint32_t)leaks->knots->knot_count;
	tree.root = (uint32_t)count - 1;
	tree.parent = make_links(count);
	tree.child = make_links(count);
	tree.sibling = make_links(count);
	tree.jump = calloc(count, sizeof(*tree.jump));
	tree.depth = calloc(count, sizeof(*tree.depth));
	tree.bytes = calloc(count, sizeof(*tree.bytes));
	tree.open = calloc(leaks->group_count + 1, sizeof(*tree.open));
	if (tree.parent && tree.child && tree.sibling && tree.jump &&
	    tree.depth && tree.bytes && tree.open) {
		grow_tree(&tree);
		weigh(&tree);
		add_up(&tree);
	} else {
		err = leaks_no_memory();
	}
	free(tree.parent);
	free(tree.child);
	free(tree.sibling);
	free(tree.jump);
	free(tree.depth);
	free(tree.bytes);
	free(tree.open);
	return err;
}
