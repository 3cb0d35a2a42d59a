/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ::tree - the nodes of a binary tree, in order. */
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/links.h"
#include "kdbg/dcmds/tree_walk.h"

#include <inttypes.h>

struct tree {
	struct links links;
	struct err *err; /* of giving a node to the pipe */
};

static struct err *next(void *context, uint64_t node, enum tree_side side,
			uint64_t *ret)
{
	struct tree *tree = context;

	return links_next(&tree->links, side == TREE_RIGHT, node, ret);
}

static bool each(void *context, uint64_t node)
{
	struct tree *tree = context;

	tree->err = links_yield(&tree->links, node);
	return !tree->err && links_go_on(&tree->links);
}

static struct err *tree_run(const struct dcmd_call *call, struct sink *out)
{
	struct tree tree = { .links = { .out = out } };
	struct tree_walk walk = { next, each, &tree, 0 };
	struct type_place root;
	int used = 0;
	struct err *err = type_place_of_words(call->session, call->has_address,
					      call->address, call->argc,
					      call->argv, &root, &used);

	if (!err && !call->has_address && !root.address)
		err = err_new(ERR_USAGE,
			      "needs the address of the root before ::");
	if (!err)
		err = links_step_through(call, &root);
	if (!err)
		err = links_of_words(call, used, LINKS_MAX, root.type,
				     &tree.links);
	if (!err)
		err = tree_walk(&walk, root.address);
	if (!err)
		err = tree.err;
	if (walk.again)
		sink_note(out,
			  "no tree: %" PRIu64 " links lead to what was met "
			  "before",
			  walk.again);
	return err;
}

const struct dcmd dcmd_tree = {
	.name = "tree",
	.summary = "walk a binary tree in order: the address of each node",
	.help = "Begins with the root at the address; the members that lead "
		"left and right are paths, as those of RB_ENTRY: "
		"link.rbe_left link.rbe_right. As with ::list the type of a "
		"variable is known. What was met before, as it is in a "
		"damaged tree, is left out, and told.\n\n"
		"With -e the links, and the address, lead to the member that "
		"they lie in, as those of AVL and red-black trees do that know "
		"no elements: "
		"root.rb_node::tree -e 'struct item' node.rb_left "
		"node.rb_right.",
	.example = "::walk kmem_cache | ::head -n 1 | "
		   "::tree 'struct kma_cache' next next | ::count",
	.arguments = "[type] left right [variable]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "root",
	.options = links_options,
	.option_count = 1,
	.options_size = sizeof(struct links_options),
	.tables = links_tables,
	.table_count = 1,
	.run = tree_run,
};
