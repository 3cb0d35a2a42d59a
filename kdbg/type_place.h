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

/* Follow path, which may begin with a member's name; "" and "." stay, "*path"
 * goes on to what is pointed to there. */
struct err *type_place_follow(struct session *session, const char *path,
			      struct type_place *place) MUST_USE;

/* A call's words as the object they name: "type [member ...]", or, where the
 * address is a variable's, "[member ...]". *used: words that are not members.
 */
struct err *type_place_of_words(struct session *session, bool has_address,
				uint64_t address, int argc,
				const char *const *argv,
				struct type_place *place, int *used) MUST_USE;

/* The type that words begin with, and how many belong to it. */
struct err *type_of_words(struct session *session, int argc,
			  const char *const *argv, struct type **ret,
			  int *used) MUST_USE;

#endif
