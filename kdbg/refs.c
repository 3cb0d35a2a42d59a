/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One pass over all bytes that the target has, but for what is the allocator's
 * own: what a hit is, is asked of places.h, and only of hits.
 */
#include "kdbg/refs.h"

#include "kdbg/reach_scan.h"
#include "kdbg/target.h"
#include "kdbg/word_scan.h"

#include <inttypes.h>

enum { LOWEST = 4096 }; /* the first page is never mapped */

struct search {
	struct session *session;
	struct heap *heap;
	struct scan scan; /* to read words by */
	struct places *places;
	const struct refs_range *range;
	refs_fn *each;
	void *context;
	bool enough;
};

struct refs_range refs_range_of(struct heap *heap, uint64_t address)
{
	struct refs_range range = { .start = address, .end = address };
	struct heap_buffer buffer, next;

	if (!heap_buffer_at(heap, address, &buffer))
		return range;
	range.start = buffer.user;
	range.end = buffer.user + buffer.size;
	if (buffer.size && heap_buffer_at(heap, range.end, &next) &&
	    next.start != buffer.start)
		range.end--; /* that is where the next one starts */
	return range;
}

static bool tell(struct search *search, const struct place *place,
		 uint64_t word)
{
	const struct ref ref = { *place, word, word - search->range->start };

	return place->kind == PLACE_NOWHERE ||
	       search->each(search->context, &ref);
}

static bool search_words(void *context, uint64_t address, const char *words,
			 size_t count)
{
	struct search *search = context;
	const struct refs_range *range = search->range;
	uint64_t start = range->start, span = range->end - start;

	count = scan_pointers(&search->scan, count);
	for (size_t i = 0; i < count; i++) {
		uint64_t word = scan_pointer(&search->scan, words, i);
		uint64_t at = address + scan_pointer_at(&search->scan, i);
		struct place place;

		if (word - start > span)
			continue;
		if (!range->own && at - start < span)
			continue;
		place = places_at(search->places, at);
		if (!tell(search, &place, word))
			return false;
	}
	return true;
}

/* Roots whose words are not memory: registers. */
static void search_words_of(struct search *search, const struct root *root)
{
	const struct refs_range *range = search->range;
	size_t count = scan_pointers(&search->scan, root->words_size / 8);

	for (size_t i = 0; i < count && !search->enough; i++) {
		uint64_t word = scan_pointer(&search->scan, root->words, i);
		const struct place place =
			place_of_words(root, scan_pointer_at(&search->scan, i));

		if (word - range->start <= range->end - range->start)
			search->enough = !tell(search, &place, word);
	}
}

static struct err *search_registers(struct search *search)
{
	const struct root *roots;
	struct reach *reach;
	struct err *err = session_reach(search->session, &reach);
	size_t count;

	if (err)
		return err;
	count = roots_list(reach_roots(reach), &roots);
	search->scan = *reach_scan(reach);
	search->scan.forms.unaligned |= search->range->unaligned;
	for (size_t i = 0; i < count && !search->enough; i++)
		if (roots[i].words)
			search_words_of(search, &roots[i]);
	return NULL;
}

/* The next range from at on that is no instance's reserve, or its part for
 * buffers. *end is where an extent ends, and is lowered. False: at is. */
static bool is_searched(const struct search *search, uint64_t at, uint64_t *end)
{
	const struct heap_instance *instances;
	const struct heap_pages *pages;
	size_t count = heap_instances(search->heap, &instances);
	size_t ranges = heap_pages(search->heap, &pages);

	for (size_t i = 0; i < ranges; i++) {
		if (at >= pages[i].base && at < pages[i].end) {
			if (*end > pages[i].end)
				*end = pages[i].end;
			return true;
		}
		if (at<pages[i].base && * end> pages[i].base)
			*end = pages[i].base;
	}
	for (size_t i = 0; i < count; i++) {
		uint64_t base = instances[i].reserve_base;

		if (at >= base && at < instances[i].reserve_end) {
			if (*end > instances[i].reserve_end)
				*end = instances[i].reserve_end;
			return false;
		}
		if (at<base && * end> base)
			*end = base;
	}
	return true;
}

struct err *refs_find(struct session *session, struct places *places,
		      const struct refs_range *range, refs_fn *each,
		      void *context)
{
	const struct target *target = session->target;
	struct search search = { .session = session,
				 .places = places,
				 .range = range,
				 .each = each,
				 .context = context };
	struct err *err;

	if (range->start < LOWEST) /* every small number would point there */
		return err_new(ERR_NOT_FOUND, "%#" PRIx64 " is no address",
			       range->start);
	err = session_heap(session, &search.heap);
	if (!err)
		err = search_registers(&search);
	for (size_t i = 0; !err && !search.enough && i < target->extent_count;
	     i++) {
		uint64_t at = (target->extents[i].start + 7) & ~(uint64_t)7;
		uint64_t last = target->extents[i].end & ~(uint64_t)7, end;

		for (; !err && !search.enough && at < last; at = end) {
			end = last;
			if (!is_searched(&search, at, &end))
				continue;
			err = word_scan(session, at, end, search_words, &search,
					&search.enough);
		}
	}
	return err;
}

uint64_t refs_buffer_address(struct heap *heap, uint64_t address)
{
	struct heap_buffer buffer;

	return heap_buffer_of_bufctl(heap, address, &buffer) ? buffer.user
							     : address;
}
