/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Leaks that one word may hide: what would be leaked without the stacks and the
 * registers, and is held there by a single word each. A value left over in a
 * frame that is still there looks like a pointer as any other; whether it is
 * one only a person can tell, by the place.
 */
#ifndef KDBG_LEAKS_WEAK_H
#define KDBG_LEAKS_WEAK_H

#include "kdbg/leaks.h"
#include "kdbg/place.h"

struct weak_leak {
	struct leak_group group; /* as it would be */
	struct place place;      /* of the first group's word */
};

struct weak_leaks {
	struct weak_leak *list; /* most retained first */
	size_t count;
	struct leaks *leaks; /* what the groups are of */
	struct reach *reach; /* without stacks and registers */
};

struct err *weak_leaks_find(struct session *session, struct places *places,
			    struct weak_leaks *ret) MUST_USE;
void weak_leaks_deinit(struct weak_leaks *weak);

#endif
