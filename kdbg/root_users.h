/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who holds the heap: variables, threads and mappings, each with what it leads
 * to and what it alone leads to.
 */
#ifndef KDBG_ROOT_USERS_H
#define KDBG_ROOT_USERS_H

#include "kdbg/place.h"

struct root_user {
	struct root_holder holder;
	uint64_t words; /* that refer to a buffer */
	uint64_t retained_buffers, retained_bytes;
	bool reach_known; /* else there was too much to follow */
	uint64_t reach_buffers, reach_bytes;
};

struct root_users {
	struct root_user *list; /* most retained first, then most reached */
	size_t count;
	uint64_t shared_buffers, shared_bytes; /* led to by several */
};

struct err *root_users_find(struct session *session, struct places *places,
			    struct root_users *ret) MUST_USE;
void root_users_deinit(struct root_users *users);

#endif
