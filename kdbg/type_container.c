/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libstdc++'s nodes are a base with links and, behind it, the element:
 *
 *	list	next, previous			element at 16
 *	tree	colour, parent, left, right	element at 32
 *	hash	next				element at 8
 *
 * The container's type tells the element's: what a list was made with, the
 * second that a tree or table of hashes was made with.
 */
#include "kdbg/type_container.h"

#include "kdbg/target.h"

#include <inttypes.h>
#include <string.h>

enum {
	WORD = 8,
	LIST_ELEMENT = 16,
	TREE_PARENT = 8,
	TREE_LEFT = 16,
	TREE_RIGHT = 24,
	TREE_ELEMENT = 32,
	TREE_DEPTH_MAX = 128, /* twice the logarithm of all memory */
	HASH_ELEMENT = 8,
	DEQUE_BLOCK = 512, /* bytes, of small elements */
};

/* More elements than memory has words are none. */
#define COUNT_MAX (UINT64_C(1) << 44)

static const struct {
	const char *name;
	enum container_shape shape;
} containers[] = {
	{ "std::basic_string", CONTAINER_STRING },
	{ "std::vector", CONTAINER_VECTOR },
	{ "std::unique_ptr", CONTAINER_POINTER },
	{ "std::shared_ptr", CONTAINER_POINTER },
	{ "std::deque", CONTAINER_DEQUE },
	{ "std::list", CONTAINER_LIST },
	{ "std::map", CONTAINER_TREE },
	{ "std::multimap", CONTAINER_TREE },
	{ "std::set", CONTAINER_TREE },
	{ "std::multiset", CONTAINER_TREE },
	{ "std::unordered_map", CONTAINER_HASH },
	{ "std::unordered_multimap", CONTAINER_HASH },
	{ "std::unordered_set", CONTAINER_HASH },
	{ "std::unordered_multiset", CONTAINER_HASH },
};

/* "std::__cxx11::list<int, ...>" is called std::list. */
static bool is_called(const char *type, const char *name)
{
	static const char std[] = "std::", abi[] = "__cxx11::";
	size_t length = strlen(name), begin = sizeof(std) - 1;

	if (strncmp(type, std, begin) != 0)
		return false;
	type += begin;
	if (strncmp(type, abi, sizeof(abi) - 1) == 0)
		type += sizeof(abi) - 1;
	return strncmp(type, name + begin, length - begin) == 0 &&
	       type[length - begin] == '<';
}

static struct err *member(struct session *session,
			  const struct type_place *place, const char *path,
			  struct type_place *ret)
{
	*ret = *place;
	return type_place_follow(session, path, ret);
}

static struct err *member_number(struct session *session,
				 const struct type_place *place,
				 const char *path, uint64_t *ret)
{
	struct type_place of;
	struct err *err = member(session, place, path, &of);

	return err ? err : type_place_number(session, &of, ret);
}

static struct err *word_at(struct session *session, uint64_t address,
			   uint64_t *ret)
{
	return target_read_uint(session->target, address, WORD, ret);
}

/* What a template was made with, and its size. */
static struct err *find_element(struct type *made, unsigned argument,
				struct container *c)
{
	c->element = type_argument(type_peel(made), argument);
	if (c->element && type_size(c->element, &c->stride) && c->stride)
		return NULL;
	return err_new(ERR_NOT_FOUND, "what a %s holds is not described",
		       c->name);
}

static struct err *make_run(struct session *session, uint64_t start,
			    uint64_t count, struct container *c)
{
	struct types *types;
	struct err *err = session_types(session, &types);

	if (!err)
		c->run = (struct type_place){
			.type = type_array_of(types, c->element, count),
			.address = start,
		};
	c->count = count;
	return err;
}

static struct err *open_string(struct session *session,
			       const struct type_place *place,
			       struct container *c)
{
	uint64_t start = 0, count = 0;
	struct err *err =
		member_number(session, place, "_M_dataplus._M_p", &start);

	if (!err)
		err = member_number(session, place, "_M_string_length", &count);
	if (!err)
		err = find_element(place->type, 0, c);
	return err ? err : make_run(session, start, count, c);
}

static struct err *open_vector(struct session *session,
			       const struct type_place *place,
			       struct container *c)
{
	uint64_t start = 0, end = 0;
	struct err *err =
		member_number(session, place, "_M_impl._M_start", &start);

	if (!err)
		err = member_number(session, place, "_M_impl._M_finish", &end);
	if (!err)
		err = find_element(place->type, 0, c);
	if (!err && (end < start || (end - start) % c->stride))
		err = err_new(ERR_CORRUPT,
			      "a vector from %#" PRIx64 " to %#" PRIx64, start,
			      end);
	return err ? err
		   : make_run(session, start, (end - start) / c->stride, c);
}

/* What has no deleter of its own begins with the pointer. */
static struct err *open_pointer(struct session *session,
				const struct type_place *place,
				struct container *c)
{
	struct type *pointed = type_argument(type_peel(place->type), 0);
	struct types *types;
	struct err *err = session_types(session, &types);

	if (!err && !pointed)
		err = err_new(ERR_NOT_FOUND,
			      "what a %s points to is not described", c->name);
	if (err)
		return err;
	c->run = *place;
	c->run.type = type_pointer_to(types, pointed);
	return NULL;
}

/* Places are counted from the beginning of the first block. */
static struct err *open_deque(struct session *session,
			      const struct type_place *place,
			      struct container *c)
{
	uint64_t first = 0, cur = 0, last_first = 0, last_cur = 0, last = 0;
	struct type_place begin, end;
	struct err *err = find_element(place->type, 0, c);

	if (!err)
		err = member(session, place, "_M_impl._M_start", &begin);
	if (!err)
		err = member(session, place, "_M_impl._M_finish", &end);
	if (!err)
		err = member_number(session, &begin, "_M_node", &c->block);
	if (!err)
		err = member_number(session, &begin, "_M_first", &first);
	if (!err)
		err = member_number(session, &begin, "_M_cur", &cur);
	if (!err)
		err = member_number(session, &end, "_M_node", &last);
	if (!err)
		err = member_number(session, &end, "_M_first", &last_first);
	if (!err)
		err = member_number(session, &end, "_M_cur", &last_cur);
	if (err)
		return err;
	c->per_block = c->stride < DEQUE_BLOCK ? DEQUE_BLOCK / c->stride : 1;
	c->node = (cur - first) / c->stride;
	c->count = (last - c->block) / WORD * c->per_block +
		   (last_cur - last_first) / c->stride - c->node;
	return NULL;
}

static struct err *open_list(struct session *session,
			     const struct type_place *place,
			     struct container *c)
{
	struct err *err = member_number(session, place,
					"_M_impl._M_node._M_next", &c->node);

	if (!err)
		err = member_number(session, place, "_M_impl._M_node._M_size",
				    &c->count);
	return err ? err : find_element(place->type, 0, c);
}

/* Trees and tables of hashes: the first node, and how many there are. */
static struct err *open_nodes(struct session *session,
			      const struct type_place *place,
			      const char *holder, const char *first,
			      const char *count, struct container *c)
{
	struct type_place of;
	struct err *err = member(session, place, holder, &of);

	if (!err)
		err = member_number(session, &of, first, &c->node);
	if (!err)
		err = member_number(session, &of, count, &c->count);
	return err ? err : find_element(of.type, 1, c);
}

static struct err *open_shape(struct session *session,
			      const struct type_place *place,
			      struct container *c)
{
	switch (c->shape) {
	case CONTAINER_STRING:
		return open_string(session, place, c);
	case CONTAINER_VECTOR:
		return open_vector(session, place, c);
	case CONTAINER_POINTER:
		return open_pointer(session, place, c);
	case CONTAINER_DEQUE:
		return open_deque(session, place, c);
	case CONTAINER_LIST:
		return open_list(session, place, c);
	case CONTAINER_TREE:
		return open_nodes(session, place, "_M_t",
				  "_M_impl._M_header._M_left",
				  "_M_impl._M_node_count", c);
	case CONTAINER_HASH:
		return open_nodes(session, place, "_M_h",
				  "_M_before_begin._M_nxt", "_M_element_count",
				  c);
	case CONTAINER_NONE:
		break;
	}
	return NULL;
}

struct err *container_open(struct session *session,
			   const struct type_place *place,
			   struct container *ret)
{
	const struct type *type = type_peel(place->type);
	struct err *err;

	*ret = (struct container){ .shape = CONTAINER_NONE };
	if (!type_is_aggregate(type) || !type->name || place->nowhere)
		return NULL;
	for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++)
		if (is_called(type->name, containers[i].name)) {
			ret->shape = containers[i].shape;
			ret->name = containers[i].name;
		}
	err = open_shape(session, place, ret);
	if (!err && ret->count > COUNT_MAX)
		err = err_new(ERR_CORRUPT, "a %s of %" PRIu64 " elements",
			      ret->name, ret->count);
	ret->left = ret->count;
	if (err)
		ret->shape = CONTAINER_NONE;
	return err_wrap(err, "%#" PRIx64, place->address);
}

/* --- the next one ------------------------------------------------------- */

static struct err *leftmost(struct session *session, uint64_t *node)
{
	uint64_t left;

	for (unsigned i = 0; i < TREE_DEPTH_MAX; i++) {
		struct err *err = word_at(session, *node + TREE_LEFT, &left);

		if (err || !left)
			return err;
		*node = left;
	}
	return err_new(ERR_CORRUPT, "%#" PRIx64 ": deeper than trees are",
		       *node);
}

/* The nearest node above that this one is left of. */
static struct err *climb(struct session *session, uint64_t *node)
{
	uint64_t parent, right;

	for (unsigned i = 0; i < TREE_DEPTH_MAX; i++) {
		struct err *err =
			word_at(session, *node + TREE_PARENT, &parent);

		if (!err)
			err = word_at(session, parent + TREE_RIGHT, &right);
		if (err)
			return err;
		bool was_right = right == *node;
		*node = parent;
		if (!was_right)
			return NULL;
	}
	return err_new(ERR_CORRUPT, "%#" PRIx64 ": deeper than trees are",
		       *node);
}

static struct err *next_in_tree(struct session *session, uint64_t *node)
{
	uint64_t right;
	struct err *err = word_at(session, *node + TREE_RIGHT, &right);

	if (err)
		return err;
	if (!right)
		return climb(session, node);
	*node = right;
	return leftmost(session, node);
}

static struct err *next_in_deque(struct session *session, struct container *c,
				 struct type_place *element)
{
	uint64_t block;
	struct err *err = word_at(
		session, c->block + c->node / c->per_block * WORD, &block);

	if (!err)
		element->address = block + c->node % c->per_block * c->stride;
	c->node++;
	return err;
}

struct err *container_next(struct session *session, struct container *c,
			   struct type_place *element)
{
	struct err *err = NULL;

	*element = (struct type_place){ .type = c->element };
	c->left--;
	switch (c->shape) {
	case CONTAINER_DEQUE:
		return next_in_deque(session, c, element);
	case CONTAINER_LIST:
		element->address = c->node + LIST_ELEMENT;
		break;
	case CONTAINER_TREE:
		element->address = c->node + TREE_ELEMENT;
		break;
	default:
		element->address = c->node + HASH_ELEMENT;
		break;
	}
	if (c->left)
		err = c->shape == CONTAINER_TREE
			      ? next_in_tree(session, &c->node)
			      : word_at(session, c->node, &c->node);
	return err;
}
