/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The walkers list, avl and rb - linked nodes whose shape is known without any
 * type: by the words that they begin with. What a node is part of,
 * container(., TYPE, MEMBER) tells; ::list, ::tree and ::hash know types.
 */
#include "kdbg/address_set.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/tree_walk.h"
#include "kdbg/target.h"

#include <inttypes.h>

enum { WORD = 8 };

static struct err *read_link(struct session *session, uint64_t address,
			     unsigned word, uint64_t *ret)
{
	return target_read_uint(session->target, address + word * WORD, WORD,
				ret);
}

static struct err *walk_list(struct session *session, bool has_address,
			     uint64_t head, walk_fn *each, void *context)
{
	struct address_set met = { 0 };
	uint64_t node = 0;
	struct err *err = read_link(session, head, 0, &node);

	(void)has_address;
	while (!err && node && node != head) {
		if (!address_set_add(&met, node))
			err = err_new(ERR_CORRUPT,
				      "the list does not end: it comes back "
				      "to %" PRIx64,
				      node);
		else if (!each(context, node))
			break;
		else
			err = read_link(session, node, 0, &node);
	}
	address_set_deinit(&met);
	return err;
}

/* Which words of a node lead left and right. */
struct shape {
	unsigned words[2];
};

struct shaped_walk {
	struct session *session;
	struct shape shape;
	walk_fn *each;
	void *context;
};

static struct err *next(void *context, uint64_t node, enum tree_side side,
			uint64_t *ret)
{
	const struct shaped_walk *shaped = context;

	return read_link(shaped->session, node, shaped->shape.words[side], ret);
}

static bool each_node(void *context, uint64_t node)
{
	const struct shaped_walk *shaped = context;

	return shaped->each(shaped->context, node);
}

static struct err *walk_tree(struct session *session, struct shape shape,
			     uint64_t root, walk_fn *each, void *context)
{
	struct shaped_walk shaped = { session, shape, each, context };
	struct tree_walk walk = { next, each_node, &shaped, 0 };
	uint64_t node = 0;
	struct err *err = read_link(session, root, 0, &node);

	if (!err)
		err = tree_walk(&walk, node);
	if (!err && walk.again)
		err = err_new(ERR_CORRUPT,
			      "no tree: %" PRIu64 " links lead to what was "
			      "met before",
			      walk.again);
	return err;
}

static struct err *walk_avl(struct session *session, bool has_address,
			    uint64_t root, walk_fn *each, void *context)
{
	(void)has_address;
	return walk_tree(session, (struct shape){ { 0, 1 } }, root, each,
			 context);
}

/* A word with the parent and the colour comes first, then right, then left. */
static struct err *walk_rb(struct session *session, bool has_address,
			   uint64_t root, walk_fn *each, void *context)
{
	(void)has_address;
	return walk_tree(session, (struct shape){ { 2, 1 } }, root, each,
			 context);
}

const struct walker walker_list = {
	.name = "list",
	.summary =
		"nodes that begin with a link, from a head's: list_head, slist",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "list head",
	.walk = walk_list,
};

const struct walker walker_avl = {
	.name = "avl",
	.summary = "a tree whose nodes begin with left and right, in order",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "pointer to the root",
	.walk = walk_avl,
};

const struct walker walker_rb = {
	.name = "rb",
	.summary =
		"a tree of rb_node, as in Linux: parent, right, left; in order",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "rb_root",
	.walk = walk_rb,
};
