/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Remembered answers: from a number to a pointer. All zero is empty. */
#ifndef KDBG_MEMO_H
#define KDBG_MEMO_H

#include <stddef.h>
#include <stdint.h>

struct memo_slot {
	uint64_t key;
	const void *value; /* NULL: the slot is empty */
};

struct memo {
	struct memo_slot *slots;
	size_t count, capacity; /* capacity: a power of two, or 0 */
};

void memo_deinit(struct memo *memo);

const void *memo_get(const struct memo *memo, uint64_t key);

/* For a key that memo_get() did not know. Without memory it is not kept. */
void memo_put(struct memo *memo, uint64_t key, const void *value);

#endif
