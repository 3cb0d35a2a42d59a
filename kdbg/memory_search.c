/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A run of memory is viewed a chunk at a time, and a chunk is scanned in two
 * halves at once (memory_scan.h). Matches are told in order, by this thread.
 */
#include "kdbg/memory_scan.h"

#include "kdbg/target.h"
#include "kdbg/worker.h"

#include <stdlib.h>

enum {
	PAGE = 4096,
	CHUNK = 4 << 20,  /* between two looks at Ctrl-C */
	SHARE = 64 << 10, /* bytes that are worth waking another thread for */
};

struct search {
	struct session *session;
	struct worker *worker;
	struct memory_scan halves[2];
	uint64_t missing;
	uint64_t done, total; /* for progress */
	memory_found_fn *found;
	void *context;
	bool stopped;
};

static size_t match_length(const struct search *s)
{
	return s->halves[0].length;
}

static void tell(struct search *s, struct memory_scan *scan)
{
	for (size_t i = 0; i < scan->found && !s->stopped; i++)
		s->stopped = !s->found(s->context, scan->matches[i]);
	scan->found = 0;
}

/* What was found so far, and the rest if there was no room for it. */
static void finish(struct search *s, struct memory_scan *scan)
{
	tell(s, scan);
	while (scan->at < scan->count && !s->stopped &&
	       !session_interrupted(s->session)) {
		memory_scan(scan);
		tell(s, scan);
	}
}

static void aim(struct memory_scan *scan, uint64_t address,
		const unsigned char *bytes, size_t count)
{
	scan->address = address;
	scan->bytes = bytes;
	scan->count = count;
	scan->at = 0;
	scan->found = 0;
}

static void scan_half(void *half)
{
	memory_scan(half);
}

/* count places, in two halves. */
static void scan_chunk(struct search *s, uint64_t address,
		       const unsigned char *bytes, size_t count)
{
	struct memory_scan *first = &s->halves[0], *second = &s->halves[1];
	size_t step = first->step;
	size_t middle = count * step < SHARE ? count : count / 2;

	aim(first, address, bytes, middle);
	aim(second, address + middle * step, bytes + middle * step,
	    count - middle);
	if (second->count)
		worker_begin(s->worker, scan_half, second);
	memory_scan(first);
	if (second->count)
		worker_end(s->worker);
	finish(s, first);
	finish(s, second);
}

/* The matches that begin in [from, upto) and end by end. */
static bool search_view(struct search *s, uint64_t from, uint64_t upto,
			uint64_t end)
{
	uint64_t last = upto + match_length(s) - 1;
	const void *bytes;

	if (last > end)
		last = end;
	if (last - from < match_length(s))
		return true;
	struct err *err = target_view(s->session->target, from,
				      (size_t)(last - from), &bytes);
	if (err) {
		err_free(err);
		return false;
	}
	scan_chunk(s, from, bytes,
		   (size_t)(last - from - match_length(s)) / s->halves[0].step +
			   1);
	return true;
}

/* Where a chunk cannot be seen as a whole, its pages may be. */
static void search_pages(struct search *s, uint64_t from, uint64_t upto,
			 uint64_t end)
{
	while (from < upto && !s->stopped) {
		uint64_t next = (from | (PAGE - 1)) + 1;

		if (next > upto)
			next = upto;
		/* Across the border first; what ends on the page is there even
		 * if the next page is not. */
		if (!search_view(s, from, next, end) &&
		    !search_view(s, from, next, next))
			s->missing += next - from;
		from = next;
	}
}

static void search_run(struct search *s, uint64_t from, uint64_t upto,
		       uint64_t end)
{
	while (from < upto && !s->stopped) {
		uint64_t next = upto - from > CHUNK ? from + CHUNK : upto;

		if (!search_view(s, from, next, end))
			search_pages(s, from, next, end);
		s->done += next - from;
		session_progress(s->session, "searching", s->done, s->total);
		if (session_interrupted(s->session))
			s->stopped = true;
		from = next;
	}
}

static bool zeros_match(const struct search *s)
{
	const struct memory_pattern *pattern = s->halves[0].pattern;

	if (!pattern->bytes)
		return memory_word_matches(pattern, 0);
	for (size_t i = 0; i < pattern->length; i++)
		if (pattern->bytes[i])
			return false;
	return true;
}

static uint64_t aligned_up(const struct search *s, uint64_t address)
{
	size_t step = s->halves[0].step;

	return (address + step - 1) / step * step;
}

/* Only what is not all zero, and so much before it that a match could reach
 * into it. */
static void search_data(struct search *s, uint64_t from, uint64_t upto,
			uint64_t end)
{
	struct dump_extent run;

	while (from < upto && !s->stopped &&
	       target_next_data(s->session->target, from, end, &run)) {
		uint64_t margin = match_length(s) - 1;
		uint64_t start =
			run.start > from + margin ? run.start - margin : from;
		uint64_t stop = run.end < upto ? run.end : upto;

		start = aligned_up(s, start);
		search_run(s, start, stop, end);
		s->done += start - from;
		from = run.end;
	}
}

static void search_extents(struct search *s, struct memory_range range)
{
	const struct target *target = s->session->target;
	bool zeros = zeros_match(s);

	for (size_t i = 0; i < target->extent_count; i++)
		s->total += target->extents[i].end - target->extents[i].start;
	for (size_t i = 0; i < target->extent_count && !s->stopped; i++) {
		const struct dump_extent *extent = &target->extents[i];
		uint64_t from =
			extent->start > range.from ? extent->start : range.from;
		uint64_t upto =
			extent->end < range.upto ? extent->end : range.upto;

		if (from >= upto)
			continue;
		from = aligned_up(s, from);
		if (zeros)
			search_run(s, from, upto, extent->end);
		else
			search_data(s, from, upto, extent->end);
	}
}

uint64_t memory_search(struct session *session,
		       const struct memory_pattern *pattern,
		       struct memory_range range, memory_found_fn *found,
		       void *context)
{
	struct search *s = calloc(1, sizeof(*s));

	if (!s)
		return range.upto - range.from;
	s->session = session;
	s->found = found;
	s->context = context;
	for (size_t i = 0; i < 2; i++) {
		struct memory_scan *half = &s->halves[i];

		half->pattern = pattern;
		half->length = pattern->bytes ? pattern->length : pattern->size;
		half->step = pattern->bytes || pattern->unaligned
				     ? 1
				     : pattern->size;
	}
	s->worker = worker_create();
	search_extents(s, range);
	worker_destroy(s->worker);
	uint64_t missing = s->missing;
	free(s);
	return missing;
}
