/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/address_set.h"

#include <stdlib.h>

enum { CAPACITY_MIN = 64 };

/* The slot that holds address, or the free one where it belongs. capacity is a
 * power of two. */
static size_t slot_of(const struct address_set *set, uint64_t address)
{
	size_t i = (size_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> 20);

	while (set->slots[i & (set->capacity - 1)] != 0 &&
	       set->slots[i & (set->capacity - 1)] != address)
		i++;
	return i & (set->capacity - 1);
}

static bool grow(struct address_set *set)
{
	struct address_set larger = {
		.count = set->count,
		.capacity = set->capacity ? set->capacity * 2 : CAPACITY_MIN,
	};

	larger.slots = calloc(larger.capacity, sizeof(larger.slots[0]));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < set->capacity; i++)
		if (set->slots[i] != 0)
			larger.slots[slot_of(&larger, set->slots[i])] =
				set->slots[i];
	free(set->slots);
	*set = larger;
	return true;
}

bool address_set_add(struct address_set *set, uint64_t address)
{
	if (address == 0)
		return false;
	if (set->count * 4 >= set->capacity * 3 && !grow(set))
		return false;
	size_t slot = slot_of(set, address);
	if (set->slots[slot] == address)
		return false;
	set->slots[slot] = address;
	set->count++;
	return true;
}

void address_set_deinit(struct address_set *set)
{
	free(set->slots);
	*set = (struct address_set){ 0 };
}
