/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/memo.h"

#include <stdlib.h>

enum { CAPACITY_FIRST = 256 };

void memo_deinit(struct memo *memo)
{
	free(memo->slots);
	*memo = (struct memo){ 0 };
}

/* The slot of key, or the empty one where it belongs. */
static struct memo_slot *probe(const struct memo *memo, uint64_t key)
{
	uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
	size_t mask = memo->capacity - 1;

	for (size_t i = (size_t)(hash >> 32) & mask;; i = (i + 1) & mask)
		if (!memo->slots[i].value || memo->slots[i].key == key)
			return &memo->slots[i];
}

const void *memo_get(const struct memo *memo, uint64_t key)
{
	return memo->capacity ? probe(memo, key)->value : NULL;
}

static void grow(struct memo *memo)
{
	struct memo larger = {
		.capacity =
			memo->capacity ? memo->capacity * 2 : CAPACITY_FIRST,
	};

	larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
	if (!larger.slots)
		return;
	for (size_t i = 0; i < memo->capacity; i++)
		if (memo->slots[i].value)
			*probe(&larger, memo->slots[i].key) = memo->slots[i];
	larger.count = memo->count;
	free(memo->slots);
	*memo = larger;
}

void memo_put(struct memo *memo, uint64_t key, const void *value)
{
	if (memo->count + memo->count / 2 >= memo->capacity)
		grow(memo);
	if (memo->count + 1 >= memo->capacity) /* one slot stays empty */
		return;
	*probe(memo, key) = (struct memo_slot){ key, value };
	memo->count++;
}
