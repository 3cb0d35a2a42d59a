/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/heap_verify.h"

#include "kdbg/heap_impl.h"

#include <string.h>

enum {
	REVISION_FIRST = 1, /* of the rules in dumpfmt/layout.h */
	REVISION_LAST = 2,
	FILL_DEFAULT = 4096,   /* where a dump does not say */
	GUARD_DEFAULT = 1024,  /* likewise */
	REGION_MAX = 1 << 20,  /* of a dump that says more */
	HOLLOW_MAX = 32 << 20, /* no larger one waits to be used again */
	PIECE = 1024,
	WORD = 8,
};

#define FILL_FREE UINT64_C(0xdeadbeefdeadbeef)

static uint64_t constant_or(const struct constant *constant, uint64_t absent)
{
	return constant->present ? constant->value : absent;
}

static uint64_t revision_of(const struct heap_layout *layout)
{
	return constant_or(&layout->constants.KMA_PATTERN_REVISION,
			   REVISION_FIRST);
}

bool heap_verify_possible(const struct heap *heap, size_t instance)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;
	uint64_t revision = revision_of(layout);

	return revision >= REVISION_FIRST && revision <= REVISION_LAST &&
	       layout->kma_root.canary_secret.present;
}

/* The bits that every word of a guard has. */
static uint64_t guard_bits(const struct heap_layout *layout)
{
	return revision_of(layout) == REVISION_FIRST
		       ? UINT64_C(0x0101010101010101)
		       : UINT64_C(0x8080808080808080);
}

struct judge {
	struct heap *heap;
	uint64_t secret, guard_bits;
	heap_damage_fn *each;
	void *context;
	bool damaged, unread;
};

/* Bytes that should all read one thing. */
struct region {
	enum heap_damage_place place;
	uint64_t from, to;
	bool is_guard; /* else each word is fill */
	uint64_t fill;
};

static uint64_t expected_word(const struct judge *judge,
			      const struct region *region, uint64_t address)
{
	uint64_t mixed =
		(judge->secret ^ address) * UINT64_C(0x9e3779b97f4a7c15);

	if (!region->is_guard)
		return region->fill;
	return (mixed ^ mixed >> 32) | judge->guard_bits;
}

/* The bytes first .. end of the word at address are the region's. */
static void judge_word(struct judge *judge, const struct region *region,
		       uint64_t address, const unsigned char *found,
		       unsigned first, unsigned end)
{
	uint64_t word = expected_word(judge, region, address);
	unsigned char expected[WORD];

	for (unsigned i = 0; i < WORD; i++)
		expected[i] = (unsigned char)(word >> 8 * i);
	while (first < end && found[first] == expected[first])
		first++;
	while (end > first && found[end - 1] == expected[end - 1])
		end--;
	if (first == end)
		return;
	judge->damaged = true;
	struct heap_damage damage = {
		.place = region->place,
		.address = address + first,
		.count = end - first,
	};
	memcpy(damage.expected, expected + first, damage.count);
	memcpy(damage.found, found + first, damage.count);
	if (judge->each)
		judge->each(judge->context, &damage);
}

/* Words are read whole: what shares one with a region is the heap's too. */
static void judge_region(struct judge *judge, const struct region *region)
{
	unsigned char piece[PIECE];
	uint64_t at = region->from & ~(uint64_t)(WORD - 1);

	while (at < region->to) {
		uint64_t left = (region->to - at + WORD - 1) & ~(uint64_t)7;
		size_t size = left < PIECE ? (size_t)left : PIECE;
		size_t got =
			target_read_some(judge->heap->target, at, piece, size);

		for (size_t i = 0; i + WORD <= got; i += WORD) {
			uint64_t word = at + i;
			unsigned first =
				word < region->from
					? (unsigned)(region->from - word)
					: 0;
			unsigned end = region->to - word < WORD
					       ? (unsigned)(region->to - word)
					       : WORD;

			judge_word(judge, region, word, piece + i, first, end);
		}
		if (got < size) {
			judge->unread = true;
			return;
		}
		at += size;
	}
}

static uint64_t limit(const struct constant *constant, uint64_t absent)
{
	uint64_t value = constant_or(constant, absent);

	return value < REGION_MAX ? value : REGION_MAX;
}

/* Behind a freed buffer's fill: its whole pages, and the parts about them. */
static void judge_hollow(struct judge *judge, const struct heap_layout *layout,
			 const struct heap_buffer *buffer,
			 const struct region *fill)
{
	uint64_t page = UINT64_C(1) << layout->constants.KMA_PAGE_SHIFT.value;
	struct region pages = { .place = DAMAGE_INSIDE }, part = *fill;
	uint64_t end = buffer->user + buffer->size;

	pages.from = (fill->to + page - 1) & ~(page - 1);
	pages.to = end & ~(page - 1);
	if (pages.from >= pages.to || pages.to - pages.from > HOLLOW_MAX)
		return;
	part.from = fill->to;
	part.to = pages.from;
	if (layout->constants.KMA_FILL_FREE_MAX.present)
		judge_region(judge, &part);
	judge_region(judge, &pages);
	part.from = pages.to;
	part.to = end;
	if (layout->constants.KMA_FILL_FREE_MAX.present)
		judge_region(judge, &part);
}

static uint64_t free_fill(const struct heap_layout *layout,
			  const struct heap_slab *slab, uint64_t size)
{
	uint64_t most = limit(&layout->constants.KMA_FILL_MAX, FILL_DEFAULT);
	uint64_t whole = limit(&layout->constants.KMA_FILL_FREE_MAX, most);

	if (slab->sampled)
		whole = most =
			limit(&layout->constants.KMA_FILL_SAMPLED_MAX, 0);

	return size <= whole || size <= most ? size : most;
}

static void judge_buffer(struct judge *judge, const struct heap_layout *layout,
			 const struct heap_slab *slab,
			 const struct heap_buffer *buffer)
{
	uint64_t guard_max =
		limit(&layout->constants.KMA_GUARD_MAX, GUARD_DEFAULT);
	uint64_t canary_size =
		slab->tier == TIER_GUARD || slab->bare
			? 0
			: limit(&layout->constants.KMA_CANARY_SIZE, WORD);
	struct region before = { .place = DAMAGE_BEFORE,
				 .from = buffer->start - canary_size,
				 .to = buffer->user,
				 .is_guard = true };
	struct region inside = {
		.place = DAMAGE_INSIDE,
		.from = buffer->user,
		.to = buffer->user + free_fill(layout, slab, buffer->size),
		.fill = constant_or(&layout->constants.KMA_FILL_FREE, FILL_FREE)
	};
	struct region after = { .place = DAMAGE_AFTER,
				.from = buffer->user + buffer->size,
				.to = buffer->start + slab->stride -
				      canary_size,
				.is_guard = true };

	if (before.to - before.from > guard_max)
		before.from = before.to - guard_max;
	struct region tail = after;

	if (after.to > after.from && after.to - after.from > guard_max)
		after.to = after.from + guard_max;
	tail.from = tail.to - limit(&layout->constants.KMA_GUARD_TAIL, 0);
	if (tail.from < after.to)
		tail.from = after.to;
	judge_region(judge, &before);
	if (buffer->state == BUFFER_FREE)
		judge_region(judge, &inside);
	if (buffer->state == BUFFER_FREE && slab->hollow)
		judge_hollow(judge, layout, buffer, &inside);
	if (after.to > after.from)
		judge_region(judge, &after);
	if (tail.to > tail.from)
		judge_region(judge, &tail);
}

/* Of a pristine slab, what lies before its first cell and behind its last. */
static void judge_edges(struct judge *judge, const struct heap_layout *layout,
			const struct heap_slab *slab,
			const struct heap_buffer *buffer)
{
	uint64_t cells = slab->base + slab->first -
			 limit(&layout->constants.KMA_CANARY_SIZE, WORD);
	struct region before = { .place = DAMAGE_BEFORE,
				 .from = slab->base,
				 .to = cells };
	struct region behind = { .place = DAMAGE_AFTER,
				 .from = cells + slab->buffers * slab->stride,
				 .to = slab->base + slab->size };
	bool unread = judge->unread;

	if (buffer->index == 0 && before.to > before.from)
		judge_region(judge, &before);
	if (buffer->index + 1 == slab->buffers && behind.to > behind.from)
		judge_region(judge, &behind);
	judge->unread = unread;
}

/* Pages that were never written need not be in the target. */
static void judge_never(struct judge *judge, const struct heap_layout *layout,
			const struct heap_slab *slab,
			const struct heap_buffer *buffer)
{
	struct region cell = { .place = DAMAGE_INSIDE };

	cell.from =
		buffer->start - limit(&layout->constants.KMA_CANARY_SIZE, WORD);
	cell.to = cell.from + slab->stride;
	judge_region(judge, &cell);
	judge->unread = false;
}

/* Whose free reported it goes no further: it is as the program left it. */
static bool is_reported(struct heap *heap, const struct heap_buffer *buffer)
{
	const struct heap_error *errors;
	size_t count = heap_errors(heap, &errors);

	for (size_t i = 0; i < count; i++)
		if (errors[i].bufctl == buffer->bufctl)
			return true;
	return false;
}

static bool is_judged(struct heap *heap, const struct heap_slab *slab,
		      const struct heap_buffer *buffer)
{
	if (!buffer->bufctl)
		return false;
	bool is_held =
		buffer->state == BUFFER_ALLOCATED ||
		(buffer->state == BUFFER_CHANGING && is_reported(heap, buffer));

	if (slab->tier == TIER_GUARD)
		return is_held;
	return slab->tier == TIER_AUDIT &&
	       (is_held || buffer->state == BUFFER_FREE ||
		(buffer->state == BUFFER_NEVER && slab->pristine));
}

enum heap_verdict heap_verify_buffer(struct heap *heap,
				     const struct heap_buffer *buffer,
				     heap_damage_fn *each, void *context)
{
	const struct heap_slab *slab = &heap->slabs[buffer->slab];
	size_t instance = heap->caches[slab->cache].instance;
	const struct instance *part = &heap->parts[instance];
	struct judge judge = {
		.heap = heap,
		.secret = record_uint(part->root,
				      &part->layout.kma_root.canary_secret),
		.guard_bits = guard_bits(&part->layout),
		.each = each,
		.context = context,
	};

	if (!is_judged(heap, slab, buffer) ||
	    !heap_verify_possible(heap, instance))
		return VERDICT_UNJUDGED;
	if (buffer->state == BUFFER_NEVER)
		judge_never(&judge, &part->layout, slab, buffer);
	else
		judge_buffer(&judge, &part->layout, slab, buffer);
	if (slab->pristine)
		judge_edges(&judge, &part->layout, slab, buffer);
	if (judge.damaged)
		return VERDICT_DAMAGED;
	return judge.unread ? VERDICT_UNREADABLE : VERDICT_CLEAN;
}
