/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What lies side by side or is linked: the words that ::array, ::list, ::tree
 * and ::hash take, and the way from one element to the next.
 *
 * A link leads to the next element, or, embedded, to the same member of it:
 *
 *	struct item { ...; struct node { struct node *next; } node; }
 *	              ^ element           ^ node: base bytes on, where
 *	                                    links lead
 *
 * Without -e node and element are the same, and base is 0.
 */
#ifndef KDBG_DCMDS_LINKS_H
#define KDBG_DCMDS_LINKS_H

#include "kdbg/address_set.h"
#include "kdbg/dcmd.h"
#include "kdbg/type_words.h"

enum { LINKS_MAX = 2 };

struct links {
	const struct dcmd_call *call;
	struct sink *out;
	struct type *type; /* of an element */
	uint64_t base;
	const char *links[LINKS_MAX]; /* members that lead to others */
	const char *variable;         /* of kdbg's, or NULL */
	struct address_set met;       /* elements */
};

struct links_options {
	bool embedded;
};

extern const struct option links_options[1];
extern const struct table links_tables[1];

/* The object that the call's words begin with and what follows it: count
 * members that are links, then perhaps a variable. *used: where in the words
 * the links begin. */
struct err *links_of_words(const struct dcmd_call *call, int used, int count,
			   struct type *type, struct links *links) MUST_USE;

/* The node that the link of this one leads to. */
struct err *links_next(const struct links *links, int link, uint64_t node,
		       uint64_t *next) MUST_USE;

/* Give a node's element to the pipe. */
struct err *links_yield(const struct links *links, uint64_t node) MUST_USE;

/* True until the reader or the user has had enough. */
bool links_go_on(const struct links *links);

/* Each element from a node on, by the first link: until it is 0, leads to end,
 * or to what was met before, which is told. */
struct err *links_follow(struct links *links, uint64_t node,
			 uint64_t end) MUST_USE;

/* What a variable that points to something points to. */
struct err *links_step_through(const struct dcmd_call *call,
			       struct type_place *place) MUST_USE;

#endif
