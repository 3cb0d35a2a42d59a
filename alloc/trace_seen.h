/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks that come again, known without a walk.
 *
 * A program's stacks come again and again, though seldom the same one twice in
 * a row. Which it is this time is guessed: what came the last time after the
 * stack that was the last one now, from the same place for the same caller; and
 * if it is not that, what came there the time before. Then every slot that the
 * stack was read from is loaded and compared: return addresses, those of the
 * way out of this library too, and what a frame pointer was saved as where a
 * frame is found by it. If all are as they were, so is everything derived from
 * them. These loads do not wait for each other, so a frame costs four
 * instructions, where a walked one is a look at the rules, two loads that wait,
 * and its part of the hash.
 *
 *	guess: by last stack, sp, caller --+--> two positions
 *	known: by id, sp ------------------+--> position
 *
 *	ring:	| ... | stack | stack | stack | oldest | ...
 *				     ^ head
 *
 * Stacks lie in a ring, each behind the one before. A position counts units
 * ever written, so it tells by itself whether what it names has been
 * overwritten.
 *
 * Only stacks that can be kept (trace_kept.h), on the thread's own stack, and
 * of not too many frames.
 */
#ifndef ALLOC_TRACE_SEEN_H
#define ALLOC_TRACE_SEEN_H

#include "alloc/stack.h"
#include "alloc/thread.h"
#include "alloc/trace_path.h"
#include "alloc/unwind_rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kma_kept;
struct kma_walk;

enum {
	KMA_SEEN_SLOTS = 60, /* of a stack, at most; compared four at a time */
	KMA_SEEN_UNITS = 8192,
	KMA_SEEN_GUESSES_BITS = 11,
	KMA_SEEN_KNOWN_BITS = 10,
};

struct kma_seen_slot {
	uintptr_t address, value;
};

struct kma_seen {
	uintptr_t sp;        /* where it was captured from */
	uintptr_t fp;        /* that frames are found by, if by_fp */
	uint32_t generation; /* of the rules it was walked by */
	uint32_t id;         /* in the depot */
	uint32_t count;      /* of slots, a multiple of four */
	uint32_t by_fp;
	struct kma_seen_slot slot[];
};

/* What came after one stack, the last time and the time before. */
struct kma_guess {
	uint64_t first, second; /* positions */
};

struct kma_seen_table {
	/* From where a stack is captured to the caller's return address, the
	 * last time: the same for nearly all captures of a use. */
	uintptr_t end_slot[KMA_STACK_USES];
	uint64_t head;         /* position; the first lap has number 1 */
	uint64_t last;         /* stack, by kma_seen_name(); 0: not known */
	uint32_t hits, misses; /* since the last look at both */
	bool is_sparse;        /* few hits: most of what misses is not kept */
	struct kma_guess guess[1 << KMA_SEEN_GUESSES_BITS];
	uint64_t known[1 << KMA_SEEN_KNOWN_BITS];
	struct kma_seen_slot ring[KMA_SEEN_UNITS];
};

/* NULL: it has been overwritten, or never was. */
static inline const struct kma_seen *
kma_seen_at(const struct kma_seen_table *table, uint64_t position)
{
	if (table->head - position > KMA_SEEN_UNITS)
		return NULL;
	return (const struct kma_seen *)&table->ring[position % KMA_SEEN_UNITS];
}

/* All of them, as each position is too far behind now. */
static inline void kma_seen_forget(struct kma_seen_table *table)
{
	if (table->head)
		table->head += 2 * KMA_SEEN_UNITS;
	table->last = 0;
}

static inline uint64_t kma_seen_mix(uint64_t key)
{
	return key * UINT64_C(0x9E3779B97F4A7C15);
}

/* It stays the same when the stack is written anew. */
static inline uint64_t kma_seen_name(uint32_t id, enum kma_stack_use use)
{
	return (uint64_t)id * KMA_STACK_USES + use;
}

/* Where the guess is for a stack captured here; NULL: it is not guessed. */
static inline struct kma_guess *kma_seen_guess(struct kma_seen_table *table,
					       const struct kma_thread *self,
					       const struct kma_place *here,
					       enum kma_stack_use use)
{
	uintptr_t slot = here->sp + table->end_slot[use];

	if (here->sp < self->stack_low || slot >= self->stack_top)
		return NULL;

	uint64_t mixed = kma_seen_mix(kma_path_load(slot) ^ here->sp << 32 ^
				      table->last << 20);

	return &table->guess[mixed >> (64 - KMA_SEEN_GUESSES_BITS)];
}

static inline uint64_t kma_seen_slot_wrong(const struct kma_seen_slot *slot)
{
	return kma_path_load(slot->address) ^ slot->value;
}

static inline bool kma_seen_is(const struct kma_seen *seen,
			       const struct kma_place *here)
{
	const struct kma_seen_slot *slot = seen->slot;
	const struct kma_seen_slot *end = slot + seen->count;

	if (seen->sp != here->sp ||
	    seen->generation !=
		    __atomic_load_n(&kma_rule_generation, __ATOMIC_ACQUIRE) ||
	    (seen->by_fp && seen->fp != here->fp))
		return false;
	for (; slot < end; slot += 4)
		if (kma_seen_slot_wrong(&slot[0]) |
		    kma_seen_slot_wrong(&slot[1]) |
		    kma_seen_slot_wrong(&slot[2]) |
		    kma_seen_slot_wrong(&slot[3]))
			return false;
	return true;
}

/* The id of the stack captured here; 0: it is not the first guess. */
static inline uint32_t kma_seen_find(struct kma_seen_table *table,
				     const struct kma_thread *self,
				     const struct kma_place *here,
				     enum kma_stack_use use)
{
	const struct kma_guess *guess = kma_seen_guess(table, self, here, use);
	const struct kma_seen *seen =
		guess ? kma_seen_at(table, guess->first) : NULL;

	if (!seen || !kma_seen_is(seen, here))
		return 0;
	table->last = kma_seen_name(seen->id, use);
	table->hits++;
	return seen->id;
}

/* The same where the first guess was wrong; 0: it is not known. */
uint32_t kma_seen_find_second(struct kma_seen_table *table,
			      const struct kma_thread *self,
			      const struct kma_place *here,
			      enum kma_stack_use use);

/* That was k, walked from there, and has an id, or 0. */
void kma_seen_put(struct kma_seen_table *table, const struct kma_thread *self,
		  struct kma_kept *k, const struct kma_walk *walk,
		  const struct kma_begin *begin, enum kma_stack_use use);

#endif
