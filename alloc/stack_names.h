/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ids of stacks by their hashes, as many as fit a line of the processor's
 * cache: a name is found, or is known not to be there, at the price of one.
 *
 * A hash of 64 bits is taken for the stack itself, so that the stack, which
 * lies elsewhere, need not be looked at. Among a million different stacks two
 * have the same one with a probability of 3 in 10^8.
 */
#ifndef ALLOC_STACK_NAMES_H
#define ALLOC_STACK_NAMES_H

#include <stdint.h>

enum { KMA_NAMES_EACH = 5 };

/* Filled from the first on; id 0 and hash 0: none. */
struct kma_names {
	uint64_t hash[KMA_NAMES_EACH];
	uint32_t id[KMA_NAMES_EACH];
	uint32_t next; /* its owner's: where more are, or which is to go */
} __attribute__((aligned(64)));

/*
 * 0: it has none. Which one it is is as good as random, so nothing branches on
 * it. A hash is stored after its id, so who sees it sees the id.
 */
static inline uint32_t kma_names_find(const struct kma_names *names,
				      uint64_t hash)
{
	uint32_t found = 0;

	for (int i = 0; i < KMA_NAMES_EACH; i++) {
		uint64_t there =
			__atomic_load_n(&names->hash[i], __ATOMIC_ACQUIRE);
		uint32_t id = __atomic_load_n(&names->id[i], __ATOMIC_RELAXED);

		found = there == hash ? id : found;
	}
	return found;
}

#endif
