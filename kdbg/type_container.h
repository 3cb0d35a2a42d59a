/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a container of the C++ library holds, in the place of how it holds it:
 * strings, vectors, deques, lists, maps and sets of both kinds, and pointers
 * that own. As libstdc++ lays them out; others are no containers here.
 *
 *	struct container c;
 *	struct err *err = container_open(session, &place, &c);
 *	while (!err && c.left) err = container_next(session, &c, &element);
 *
 * The program's memory may be damaged: counts are what it says, walks have the
 * depth of trees that can be, and errors end them.
 */
#ifndef KDBG_TYPE_CONTAINER_H
#define KDBG_TYPE_CONTAINER_H

#include "kdbg/type_place.h"

enum container_shape {
	CONTAINER_NONE,
	CONTAINER_STRING,  /* run: an array of characters */
	CONTAINER_VECTOR,  /* run: an array of elements */
	CONTAINER_POINTER, /* run: the pointer */
	CONTAINER_DEQUE,
	CONTAINER_LIST,
	CONTAINER_TREE,
	CONTAINER_HASH,
};

struct container {
	enum container_shape shape;
	const char *name;      /* "std::map" */
	struct type *element;  /* of those that are walked */
	uint64_t count, left;  /* elements; still to come */
	struct type_place run; /* of those that are not */
	uint64_t node;         /* of the next element; of a deque, its place */
	uint64_t block;        /* of a deque: where the block's address is */
	uint64_t stride, per_block;
};

/* shape CONTAINER_NONE: it is none. */
struct err *container_open(struct session *session,
			   const struct type_place *place,
			   struct container *ret) MUST_USE;

/* Of a deque, list, tree or hash with left > 0. */
struct err *container_next(struct session *session, struct container *container,
			   struct type_place *element) MUST_USE;

#endif
