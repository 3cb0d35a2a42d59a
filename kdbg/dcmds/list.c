/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ::array, ::list and ::tree - the addresses of what lies side by side, or is
 * linked.
 *
 * A list is followed until its link is NULL, leads back to the first element,
 * cannot be read, or leads to an element that was met before: damaged lists
 * end in circles. Of a tree what was met before is left out, for the same
 * reason.
 */
#include "kdbg/address_set.h"
#include "kdbg/dcmds/dcmds.h"
#include "kdbg/type_words.h"
#include "kdbg/variables.h"
#include "kdbg/vector.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct column list_columns[] = { { "ADDR", VALUE_ADDRESS } };

static const struct table list_tables[] = {
	{ "default", list_columns, 1, .no_header = true },
};

static struct err *yield(const struct dcmd_call *call, const char *variable,
			 uint64_t address, struct sink *out)
{
	struct err *err = NULL;

	if (variable)
		err = variables_set(call->session->variables, variable,
				    address);
	if (!err)
		SINK_ROW(out, ADDRESS(address));
	return err;
}

static bool goes_on(const struct dcmd_call *call, const struct sink *out)
{
	return !out->failed && !session_interrupted(call->session);
}

/* Type and count; or, of a variable that is an array, neither. */
static struct err *array_words(const struct dcmd_call *call,
			       struct type_place *array, uint64_t *count,
			       int *used)
{
	struct types *types;
	struct err *err = session_types(call->session, &types);

	if (!err)
		err = type_place_of_words(call->session, true, call->address,
					  call->argc, call->argv, array, used);
	if (err)
		return err;
	struct type *type = type_peel(array->type);
	if (*used == 0 && type->kind == TYPE_ARRAY) {
		*count = type->count;
		return NULL;
	}
	if (*used >= call->argc)
		return err_new(ERR_USAGE, "how many?");
	array->type = type_array_of(types, array->type, 0);
	return session_evaluate(call->session, call->argv[(*used)++], count);
}

static struct err *array_run(const struct dcmd_call *call, struct sink *out)
{
	const char *variable = NULL;
	struct type_place array, element;
	uint64_t count;
	int used = 0;
	struct err *err = array_words(call, &array, &count, &used);

	if (!err && used < call->argc)
		variable = call->argv[used++];
	if (!err && used < call->argc)
		err = err_new(ERR_USAGE, "too many words");
	for (uint64_t i = 0; !err && i < count && goes_on(call, out); i++) {
		err = type_place_element(&array, i, &element);
		if (!err)
			err = yield(call, variable, element.address, out);
	}
	return err;
}

/* --- lists and trees
 * -------------------------------------------------------------- */

enum { LINKS_MAX = 2 };

struct list {
	struct type_place element;
	const char *links[LINKS_MAX]; /* members that lead to others */
	const char *variable;
};

static struct err *list_words(const struct dcmd_call *call, int links,
			      struct list *list)
{
	int used = 0;
	struct err *err = type_place_of_words(
		call->session, call->has_address, call->address, call->argc,
		call->argv, &list->element, &used);

	if (!err && !call->has_address && !list->element.address)
		err = err_new(
			ERR_USAGE,
			"needs the address of the first element before ::");
	if (err)
		return err;
	if (type_peel(list->element.type)->kind == TYPE_POINTER) {
		/* A variable that points to the first. */
		struct type *pointer = type_peel(list->element.type);

		err = type_place_number(call->session, &list->element,
					&list->element.address);
		list->element.type = type_target(pointer);
	}
	if (err)
		return err;
	if (used + links > call->argc)
		return err_new(ERR_USAGE, links == 1
						  ? "which member is the link?"
						  : "which members lead left "
						    "and right?");
	for (int i = 0; i < links; i++)
		list->links[i] = call->argv[used++];
	list->variable = used < call->argc ? call->argv[used++] : NULL;
	return used < call->argc ? err_new(ERR_USAGE, "too many words") : NULL;
}

static struct err *next_of(const struct dcmd_call *call,
			   const struct list *list, const char *link,
			   uint64_t address, uint64_t *next)
{
	struct type_place place = list->element;
	struct err *err;

	place.address = address;
	err = type_place_follow(call->session, link, &place);
	return err ? err : type_place_number(call->session, &place, next);
}

static struct err *list_run(const struct dcmd_call *call, struct sink *out)
{
	struct address_set met = { 0 };
	struct list list = { 0 };
	struct err *err = list_words(call, 1, &list);
	uint64_t first = list.element.address;
	uint64_t address = first;

	while (!err && address && goes_on(call, out)) {
		uint64_t next = 0;

		if (!address_set_add(&met, address)) {
			sink_note(out,
				  "the list does not end: it comes back to "
				  "%" PRIx64,
				  address);
			break;
		}
		err = yield(call, list.variable, address, out);
		if (!err)
			err = next_of(call, &list, list.links[0], address,
				      &next);
		address = next == first ? 0 : next;
	}
	address_set_deinit(&met);
	return err;
}

struct tree {
	const struct dcmd_call *call;
	struct list list;
	struct address_set met;
	uint64_t *path; /* nodes whose left side is under way */
	size_t depth;
	uint64_t again; /* nodes that were met before */
};

/* The node and those left of it, onto the path. */
static struct err *go_left(struct tree *tree, uint64_t node)
{
	struct err *err = NULL;

	while (!err && node) {
		if (!address_set_add(&tree->met, node)) {
			tree->again++;
			return NULL;
		}
		uint64_t *path =
			vector_grow(tree->path, tree->depth, sizeof(*path));
		if (!path)
			return err_new(ERR_NO_MEMORY, "out of memory");
		tree->path = path;
		path[tree->depth++] = node;
		err = next_of(tree->call, &tree->list, tree->list.links[0],
			      node, &node);
	}
	return err;
}

static struct err *tree_run(const struct dcmd_call *call, struct sink *out)
{
	struct tree tree = { .call = call };
	struct err *err = list_words(call, LINKS_MAX, &tree.list);

	if (!err)
		err = go_left(&tree, tree.list.element.address);
	while (!err && tree.depth && goes_on(call, out)) {
		uint64_t node = tree.path[--tree.depth];

		err = yield(call, tree.list.variable, node, out);
		if (!err)
			err = next_of(call, &tree.list, tree.list.links[1],
				      node, &node);
		if (!err)
			err = go_left(&tree, node);
	}
	if (tree.again)
		sink_note(out,
			  "no tree: %" PRIu64 " links lead to what was met "
			  "before",
			  tree.again);
	address_set_deinit(&tree.met);
	free(tree.path);
	return err;
}

const struct dcmd dcmd_array = {
	.name = "array",
	.summary = "the address of each element of an array",
	.help = "The array begins at the address and has count elements of the "
		"type. Of a variable that is an array, both are known and may "
		"be left out. With a variable of kdbg's, each address is also "
		"its value while the rest of the pipeline runs.",
	.example = "<sp::array 'unsigned long' 4 | ::map *.",
	.arguments = "[type count] [variable]",
	.address_use = ADDRESS_REQUIRED,
	.address_is = "array",
	.tables = list_tables,
	.table_count = 1,
	.run = array_run,
};

const struct dcmd dcmd_list = {
	.name = "list",
	.summary = "follow a linked list: the address of each element",
	.help = "Begins with the element at the address and follows the "
		"member that links to the next one, until it is 0 or leads "
		"back to the first. A list that runs into a circle of its own "
		"is followed once around, and that is told; a link that cannot "
		"be read is an error behind the elements found.\n\n"
		"Of a variable the type is known, and of one that points to "
		"the first element what it points to. The member may be a "
		"path: links.next.",
	.example = "::walk kmem_cache | ::head -n 1 | "
		   "::list 'struct kma_cache' next",
	.arguments = "[type] member [variable]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "first element",
	.tables = list_tables,
	.table_count = 1,
	.run = list_run,
};

const struct dcmd dcmd_tree = {
	.name = "tree",
	.summary = "walk a binary tree in order: the address of each node",
	.help = "Begins with the root at the address; the members that lead "
		"left and right are paths, as those of RB_ENTRY: "
		"link.rbe_left link.rbe_right. As with ::list the type of a "
		"variable is known. What was met before, as it is in a "
		"damaged tree, is left out, and told.",
	.example = "::walk kmem_cache | ::head -n 1 | "
		   "::tree 'struct kma_cache' next next | ::count",
	.arguments = "[type] left right [variable]",
	.address_use = ADDRESS_OPTIONAL,
	.address_is = "root",
	.tables = list_tables,
	.table_count = 1,
	.run = tree_run,
};
