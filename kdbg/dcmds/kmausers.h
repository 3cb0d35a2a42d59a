/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between ::kmausers and its tree form. */
#ifndef KDBG_DCMDS_KMAUSERS_H
#define KDBG_DCMDS_KMAUSERS_H

#include "kdbg/dcmd.h"
#include "kdbg/heap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct user {
	struct heap_event event; /* of one of them */
	uint64_t size;
	uint64_t count;  /* 0: a free slot */
	double estimate; /* of the count, where some are samples */
};

enum { USERS_DEFAULT, USERS_FULL, USERS_TREE, USERS_BINS };
extern const struct table kmausers_tables[];

/* One row for each function on the way to an allocation, callers first; those
 * with less than a hundredth of all bytes only with everyone. */
struct err *kmausers_tree(const struct dcmd_call *call, struct heap *heap,
			  const struct user *users, size_t count, bool everyone,
			  struct sink *out) MUST_USE;

#endif
