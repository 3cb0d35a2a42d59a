/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A set of addresses: what a walk over a target's lists has seen, so that a
 * list that leads back into itself ends at the first address that comes again.
 */
#ifndef KDBG_ADDRESS_SET_H
#define KDBG_ADDRESS_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address_set {     /* all zero: empty */
	uint64_t *slots; /* 0: free */
	size_t count, capacity;
};

/* False: it was there already (or memory is exhausted: the walk must end).
 * 0 cannot be a member. */
bool address_set_add(struct address_set *set, uint64_t address);
void address_set_deinit(struct address_set *set);

#endif
