/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is live, the roots, the marks, and the sums of it all.
 *
 * What the program said to ignore (kma_ignore(), LeakSanitizer's interface) is
 * a root: it and all it leads to are reachable, and ::whylive can say why.
 */
#include "kdbg/reach.h"

#include "kdbg/reach_mark.h"
#include "kdbg/reach_scan.h"
#include "kdbg/session.h"
#include "kdbg/target.h"
#include "kdbg/vector.h"

#include <stdlib.h>
#include <string.h>

struct reach {
	struct session *session;
	struct scan *scan;
	struct roots *roots;
	uint64_t *ignored; /* buffers, by address */
	size_t ignored_count;
	uint8_t *marks; /* enum mark, of each buffer */
	struct reach_totals totals;
};

static struct err *no_memory(void)
{
	return err_new(ERR_NO_MEMORY, "no memory for marking");
}

static bool add_ignored(struct reach *reach, uint64_t address)
{
	uint64_t *grown = vector_grow(reach->ignored, reach->ignored_count,
				      sizeof(*grown));

	if (!grown)
		return false;
	reach->ignored = grown;
	grown[reach->ignored_count++] = address;
	return true;
}

/* Of the 64 buffers from first on those whose bits are set; no records. */
static void mark_live_plain(struct reach *reach, const struct scan_slab *slab,
			    uint32_t first, uint64_t word)
{
	uint8_t *marks = &reach->marks[slab->first_buffer + first];

	reach->totals.bytes +=
		(uint64_t)__builtin_popcountll(word) * slab->stride;
	if (word == UINT64_MAX) {
		memset(marks, MARK_LIVE, 64);
		return;
	}
	for (; word; word &= word - 1)
		marks[__builtin_ctzll(word)] = MARK_LIVE;
}

/* What marking has to know of a buffer's record: how much of the buffer's end
 * is not the program's. */
static uint8_t shortness(const struct scan_slab *slab, uint64_t size)
{
	uint64_t words = slab->stride / 8 - size / 8;

	return words < MARK_ASK / MARK_SHORT ? (uint8_t)(words * MARK_SHORT)
					     : MARK_ASK;
}

/* A live buffer that does not start where its slab has it, or is ignored. */
static bool mark_live_odd(struct reach *reach, const struct scan_slab *slab,
			  uint32_t index, uint64_t record)
{
	const struct heap_bufctl_layout *layout =
		&reach->scan->layouts[slab->layout];
	struct scan_extent extent = scan_extent_by(layout, slab, index, record);

	reach->marks[slab->first_buffer + index] = MARK_LIVE | MARK_ASK;
	reach->totals.bytes += extent.size;
	return !(record & layout->ignored) || add_ignored(reach, extent.user);
}

/* The same of a slab with records: what they have, and what is ignored. */
static bool mark_live_recorded(struct reach *reach,
			       const struct scan_slab *slab, uint32_t first,
			       uint64_t word)
{
	const struct heap_bufctl_layout layout =
		reach->scan->layouts[slab->layout];
	const uint64_t odd = layout.ignored | (uint64_t)layout.offset_mask
						      << layout.offset_shift;
	uint8_t *marks = &reach->marks[slab->first_buffer];
	uint64_t bytes = 0;

	for (; word; word &= word - 1) {
		uint32_t index = first + (uint32_t)__builtin_ctzll(word);
		uint64_t record = scan_word_in(&layout, slab, index), size;

		if (record & odd) {
			if (!mark_live_odd(reach, slab, index, record))
				return false;
			continue;
		}
		size = record >> layout.size_shift;
		if (size > slab->stride)
			size = slab->stride;
		marks[index] = MARK_LIVE | shortness(slab, size);
		bytes += size;
	}
	reach->totals.bytes += bytes;
	return true;
}

/* The live buffers of a slab, which is viewed if there are any; bits are 0. */
static bool mark_live_slab(struct reach *reach, uint32_t slab, uint64_t *bits)
{
	struct scan *scan = reach->scan;
	struct scan_slab *s = &scan->slabs[slab];
	bool done = true;

	heap_slab_live(scan->heap, slab, bits);
	for (uint32_t first = 0; first < s->buffers; first += 64) {
		uint64_t word = bits[first / 64];

		bits[first / 64] = 0;
		if (!word || !done)
			continue;
		if (!s->viewed)
			scan_view(scan, s);
		reach->totals.buffers += (uint64_t)__builtin_popcountll(word);
		if (s->bufctls)
			done = mark_live_recorded(reach, s, first, word);
		else
			mark_live_plain(reach, s, first, word);
	}
	s->viewed = true; /* an empty one is never looked into */
	return done;
}

static bool mark_live(struct reach *reach)
{
	struct scan *scan = reach->scan;
	size_t room = 0;
	uint64_t *bits;
	bool done = true;

	for (size_t i = 0; i < scan->slab_count; i++)
		if (scan->slabs[i].buffers > room)
			room = scan->slabs[i].buffers;
	bits = calloc(room / 64 + 1, sizeof(*bits));
	if (!bits)
		return false;
	for (uint32_t slab = 0; done && slab < scan->slab_count; slab++)
		done = mark_live_slab(reach, slab, bits);
	free(bits);
	return done;
}

/* What carries a cache's slab is held by the cache; no address leads to it, as
 * the slab's buffers are what lies there. */
static void mark_carriers(struct reach *reach)
{
	const struct heap_slab *slabs;
	size_t count = heap_slabs(reach->scan->heap, &slabs);

	for (size_t i = count; i-- > 0 && slabs[i].foreign;) {
		uint64_t number;

		if (!slabs[i].has_carrier)
			continue;
		number = slabs[slabs[i].carrier_slab].first_buffer +
			 slabs[i].carrier_index;
		if (reach->marks[number] & MARK_LIVE)
			reach->marks[number] |= MARK_PLAIN;
	}
}

static void sum_up(struct reach *reach, const struct mark_counts *counts)
{
	struct reach_totals *totals = &reach->totals;

	marks_count(reach->marks, reach->scan->buffer_count, &totals->plain,
		    &totals->possible);
	totals->leaked = totals->buffers - totals->plain - totals->possible;
	totals->words = counts->words;
	totals->references = counts->references;
	totals->unread = reach->scan->unread;
}

/* Without the program's bytes everything would look leaked. */
static struct err *check_level(const struct target *target)
{
	if (!target->process || target->process->level != DUMP_META)
		return NULL;
	return err_new(ERR_UNSUPPORTED,
		       "a dump of level meta has no pointers to follow");
}

static struct err *prepare(struct reach *reach, struct heap *heap,
			   const struct reach_options *options)
{
	struct target *target = reach->session->target;
	struct err *err = check_level(target);

	if (!err)
		err = scan_create(target, heap, &options->forms, &reach->scan);
	if (!err)
		err = roots_create(target, heap, &reach->roots);
	if (err)
		return err;
	reach->marks = calloc(reach->scan->buffer_count + 1, 1);
	if (!reach->marks || !mark_live(reach))
		return err_new(ERR_NO_MEMORY, "no memory for %llu marks",
			       (unsigned long long)reach->scan->buffer_count);
	mark_carriers(reach);
	if (!roots_add_ignored(reach->roots, reach->ignored,
			       reach->ignored_count))
		return no_memory();
	return NULL;
}

static struct err *mark_all(struct reach *reach, unsigned without)
{
	struct mark_counts counts;
	struct err *err = mark_reachable(reach->session, reach->scan,
					 reach->roots, ~without, reach->marks,
					 reach->totals.buffers, &counts);

	if (!err)
		sum_up(reach, &counts);
	return err;
}

struct err *reach_create(struct session *session,
			 const struct reach_options *options,
			 struct reach **ret)
{
	struct reach *reach;
	struct heap *heap;
	struct err *err = session_heap(session, &heap);

	if (err)
		return err;
	reach = calloc(1, sizeof(*reach));
	if (!reach)
		return no_memory();
	reach->session = session;
	err = prepare(reach, heap, options);
	if (!err)
		err = mark_all(reach, options->without);
	if (err) {
		reach_destroy(reach);
		return err;
	}
	scan_forget(reach->scan);
	*ret = reach;
	return NULL;
}

void reach_destroy(struct reach *reach)
{
	if (!reach)
		return;
	scan_destroy(reach->scan);
	roots_destroy(reach->roots);
	free(reach->ignored);
	free(reach->marks);
	free(reach);
}

enum reach_class reach_class_of(const struct reach *reach, uint64_t buffer)
{
	uint8_t mark = reach->marks[buffer];

	if (!(mark & MARK_LIVE))
		return REACH_NOT_LIVE;
	if (mark & MARK_PLAIN)
		return REACH_PLAIN;
	return mark & MARK_POSSIBLE ? REACH_POSSIBLE : REACH_LEAKED;
}

uint64_t reach_next_lost(const struct reach *reach, uint64_t from,
			 uint64_t upto)
{
	return marks_next_lost(reach->marks, from, upto);
}

const struct reach_totals *reach_totals(const struct reach *reach)
{
	return &reach->totals;
}

const struct roots *reach_roots(const struct reach *reach)
{
	return reach->roots;
}

struct scan *reach_scan(const struct reach *reach)
{
	return reach->scan;
}
