/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/trace_seen.h"

#include "alloc/trace_kept.h"

enum { HEADER_UNITS = sizeof(struct kma_seen) / sizeof(struct kma_seen_slot) };

static void add(struct kma_seen *seen, uintptr_t address, uintptr_t value)
{
	seen->slot[seen->count++] = (struct kma_seen_slot){ address, value };
}

/* Every slot, and what of the frame pointer is not in one. */
static void note(struct kma_seen *seen, const struct kma_kept *k,
		 const struct kma_begin *begin)
{
	const struct kma_path *path = begin->path;
	const struct kma_place *here = &begin->here;
	size_t inside = path->frames - 1; /* the last leads to frame zero */
	const struct kma_kept_frame *zero = &k->frame[k->first];

	seen->sp = here->sp;
	seen->fp = here->fp;
	seen->generation = k->generation;
	seen->id = k->id;
	seen->count = 0;
	seen->by_fp = zero->needs_fp && !path->fp_slot;
	for (size_t i = 0; i < inside; i++)
		add(seen, here->sp + path->slot[i], path->key[i]);
	for (size_t i = k->first; i < KMA_KEPT_MAX; i++)
		add(seen, k->frame[i].sp - sizeof(uintptr_t), k->frame[i].key);
	for (size_t i = 0; i < zero->saved; i++)
		add(seen, k->saved[i].slot, k->saved[i].value);
	if (zero->needs_fp && path->fp_slot)
		add(seen, here->sp + path->fp_slot, begin->zero.fp);
	while (seen->count % 4)
		add(seen, seen->slot[0].address, seen->slot[0].value);
}

/* More than it has by then: the padding. */
static size_t slots_for(const struct kma_kept *k, const struct kma_path *path)
{
	return path->frames + k->depth + k->frame[k->first].saved + 4;
}

/* The next units in a row. */
static uint64_t reserve(struct kma_seen_table *table, size_t units)
{
	uint64_t position = table->head;

	if (position == 0) /* no position is 0 */
		position = KMA_SEEN_UNITS;
	if (position % KMA_SEEN_UNITS + units > KMA_SEEN_UNITS)
		position += KMA_SEEN_UNITS - position % KMA_SEEN_UNITS;
	table->head = position + units;
	return position;
}

static bool is_known(const struct kma_seen_table *table, uint64_t position,
		     const struct kma_kept *k, const struct kma_place *here)
{
	const struct kma_seen *seen = kma_seen_at(table, position);

	return seen && seen->id == k->id && kma_seen_is(seen, here);
}

/* Where stacks hardly ever come again, keeping each would cost, in vain. */
static bool is_worth_it(struct kma_seen_table *table)
{
	enum { LOOK = 128, FEW = 16, ONE_IN = 8 };

	if (++table->misses == LOOK) {
		table->is_sparse = table->hits < FEW;
		table->hits = table->misses = 0;
	}
	return !table->is_sparse || table->misses % ONE_IN == 0;
}

uint32_t kma_seen_find_second(struct kma_seen_table *table,
			      const struct kma_thread *self,
			      const struct kma_place *here,
			      enum kma_stack_use use)
{
	struct kma_guess *guess = kma_seen_guess(table, self, here, use);
	uint64_t position = guess ? guess->second : 0;
	const struct kma_seen *seen = kma_seen_at(table, position);

	if (!seen || !kma_seen_is(seen, here))
		return 0;
	guess->second = guess->first;
	guess->first = position;
	table->last = kma_seen_name(seen->id, use);
	table->hits++;
	return seen->id;
}

void kma_seen_put(struct kma_seen_table *table, const struct kma_thread *self,
		  struct kma_kept *k, const struct kma_walk *walk,
		  const struct kma_begin *begin, enum kma_stack_use use)
{
	const struct kma_path *path = begin->path;
	const struct kma_place *here = &begin->here;
	struct kma_guess *guess;
	uint64_t *known;

	table->end_slot[use] = path->end_slot;
	guess = kma_seen_guess(table, self, here, use);
	table->last = kma_seen_name(k->id, use);
	if (k->id == 0 || path->frames == 0 || k->depth > KMA_SEEN_SLOTS ||
	    !guess || !is_worth_it(table))
		return;
	known = &table->known[kma_seen_mix(k->id ^ here->sp << 28) >>
			      (64 - KMA_SEEN_KNOWN_BITS)];
	if (!is_known(table, *known, k, here)) {
		kma_kept_fill(k, walk, &begin->zero, &begin->bounds);

		size_t slots = slots_for(k, path);

		if (slots > KMA_SEEN_SLOTS)
			return;
		*known = reserve(table, HEADER_UNITS + slots);
		note((struct kma_seen *)&table->ring[*known % KMA_SEEN_UNITS],
		     k, begin);
	}
	guess->second = guess->first;
	guess->first = *known;
}
