/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An object of a type at an address, and the way from it to what it holds:
 * ".member", "->member", "[index]", put together at will.
 */
#ifndef KDBG_TYPE_PLACE_H
#define KDBG_TYPE_PLACE_H

#include "kdbg/session.h"
#include "kdbg/types.h"

struct type_place {
	struct type *type;
	uint64_t address;
	uint64_t offset;               /* from the object the way began in */
	unsigned bit_offset, bit_size; /* of a bitfield; bit_size 0: none */
	bool immediate; /* the object is value itself, at address 0 */
	uint64_t value;
	/* There is no object: offsets alone mean something, and not even they
	 * once the way has gone through a pointer. */
	bool nowhere, elsewhere;
};

/* Bytes of the place from an address on, of memory or of the value. */
struct err *type_place_read(struct session *session,
			    const struct type_place *place, uint64_t address,
			    void *buffer, size_t size) MUST_USE;

/* What a scalar holds, sign-extended. */
struct err *type_place_number(struct session *session,
			      const struct type_place *place,
			      uint64_t *ret) MUST_USE;

/* A member of an aggregate. */
struct err *type_place_member(struct session *session,
			      const struct type_place *of,
			      const struct type_member *member,
			      struct type_place *ret) MUST_USE;

/* An element of an array; no bound is looked at. */
struct err *type_place_element(const struct type_place *of, uint64_t index,
			       struct type_place *ret) MUST_USE;

/* The member of a type that path leads to, without an object: its offset. */
struct err *type_place_within(struct session *session, struct type *type,
			      const char *path,
			      struct type_place *ret) MUST_USE;

/* The type alone of what path leads to, also through pointers. */
struct err *type_place_shape(struct session *session, struct type *type,
			     const char *path, struct type **ret) MUST_USE;

/* Of a type that has no definition, an error that says so; else NULL. */
struct err *type_place_defined(struct type *type) MUST_USE;

/* An element of an array, or counted from where a pointer points. */
struct err *type_place_index(struct session *session, uint64_t index,
			     struct type_place *place) MUST_USE;

/* What the pointer or reference there points to. */
struct err *type_place_dereference(struct session *session,
				   struct type_place *place) MUST_USE;

/* Follow path, which may begin with a member's name; "" and "." stay, "*path"
 * goes on to what is pointed to there. */
struct err *type_place_follow(struct session *session, const char *path,
			      struct type_place *place) MUST_USE;

#endif
