/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two loops do all the work. A block is first asked whether it has any match,
 * without a branch, at the speed of memory; only a block that has one is looked
 * at word by word. For bytes the first and the last of them are compared at 16
 * places at once.
 */
#include "kdbg/memory_search.h"

#include "kdbg/target.h"

#include <string.h>

enum {
	PAGE = 4096,
	CHUNK = 1 << 20, /* between two looks at Ctrl-C */
	BLOCK = 64,      /* words */
	LANES = 16,      /* what every x86-64 and aarch64 has */
};

typedef unsigned char lanes __attribute__((vector_size(LANES)));

struct search {
	struct session *session;
	const struct memory_pattern *pattern;
	size_t length; /* of a match */
	size_t step;   /* between places to look at */
	uint64_t missing;
	uint64_t done, total; /* for progress */
	memory_found_fn *found;
	void *context;
	bool stopped;
};

static inline __attribute__((always_inline)) uint64_t
word_at(const unsigned char *bytes, unsigned size)
{
	uint64_t word = 0;

	memcpy(&word, bytes, size); /* little-endian; size is constant */
	return word;
}

static inline bool word_matches(const struct memory_pattern *pattern,
				uint64_t word)
{
	return (word & pattern->mask) - pattern->low <= pattern->span;
}

static void tell(struct search *s, uint64_t address)
{
	if (!s->stopped && !s->found(s->context, address))
		s->stopped = true;
}

/* Inlined once for each size, so that the inner loop has no call. */
static inline __attribute__((always_inline)) void
scan_words(struct search *s, uint64_t address, const unsigned char *bytes,
	   size_t count, unsigned size, size_t step)
{
	const struct memory_pattern pattern = *s->pattern;

	for (size_t i = 0; i < count && !s->stopped; i += BLOCK) {
		const unsigned char *at = bytes + i * step;
		size_t words = count - i < BLOCK ? count - i : BLOCK;
		bool any = false;

		for (size_t j = 0; j < words; j++)
			any |= word_matches(&pattern,
					    word_at(at + j * step, size));
		for (size_t j = 0; any && j < words; j++)
			if (word_matches(&pattern,
					 word_at(at + j * step, size)))
				tell(s, address + (i + j) * step);
	}
}

static void search_words(struct search *s, uint64_t address,
			 const unsigned char *bytes, size_t count)
{
	bool unaligned = s->pattern->unaligned;

	switch (s->pattern->size) {
	case 1:
		scan_words(s, address, bytes, count, 1, 1);
		break;
	case 2:
		scan_words(s, address, bytes, count, 2, unaligned ? 1 : 2);
		break;
	case 4:
		scan_words(s, address, bytes, count, 4, unaligned ? 1 : 4);
		break;
	default:
		if (unaligned)
			scan_words(s, address, bytes, count, 8, 1);
		else
			scan_words(s, address, bytes, count, 8, 8);
		break;
	}
}

static lanes lanes_of(unsigned char c)
{
	lanes all;

	memset(&all, c, sizeof(all));
	return all;
}

static bool any_lane(const unsigned char *at, size_t last, lanes first_byte,
		     lanes last_byte)
{
	lanes begin, end;
	uint64_t words[LANES / 8];

	memcpy(&begin, at, sizeof(begin));
	memcpy(&end, at + last, sizeof(end));
	begin = (lanes)((begin == first_byte) & (end == last_byte));
	memcpy(words, &begin, sizeof(words));
	return (words[0] | words[1]) != 0;
}

/* count places; length - 1 bytes follow the last of them. */
static void search_bytes(struct search *s, uint64_t address,
			 const unsigned char *bytes, size_t count)
{
	const unsigned char *wanted = s->pattern->bytes;
	size_t last = s->length - 1;
	lanes first_byte = lanes_of(wanted[0]),
	      last_byte = lanes_of(wanted[last]);

	for (size_t i = 0; i < count && !s->stopped; i += LANES) {
		size_t places = count - i < LANES ? count - i : LANES;

		if (places == LANES &&
		    !any_lane(bytes + i, last, first_byte, last_byte))
			continue;
		for (size_t j = i; j < i + places; j++)
			if (memcmp(bytes + j, wanted, s->length) == 0)
				tell(s, address + j);
	}
}

/* The matches that begin in [from, upto) and end by end. */
static bool search_view(struct search *s, uint64_t from, uint64_t upto,
			uint64_t end)
{
	uint64_t last = upto + s->length - 1;
	const void *bytes;

	if (last > end)
		last = end;
	if (last - from < s->length)
		return true;
	struct err *err = target_view(s->session->target, from,
				      (size_t)(last - from), &bytes);
	if (err) {
		err_free(err);
		return false;
	}
	size_t count = (size_t)(last - from - s->length) / s->step + 1;
	if (s->pattern->bytes)
		search_bytes(s, from, bytes, count);
	else
		search_words(s, from, bytes, count);
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
	const struct memory_pattern *pattern = s->pattern;

	if (!pattern->bytes)
		return word_matches(pattern, 0);
	for (size_t i = 0; i < pattern->length; i++)
		if (pattern->bytes[i])
			return false;
	return true;
}

static uint64_t aligned_up(const struct search *s, uint64_t address)
{
	return (address + s->step - 1) / s->step * s->step;
}

/* Only what is not all zero, and so much before it that a match could reach
 * into it. */
static void search_data(struct search *s, uint64_t from, uint64_t upto,
			uint64_t end)
{
	struct dump_extent run;

	while (from < upto && !s->stopped &&
	       target_next_data(s->session->target, from, end, &run)) {
		uint64_t margin = s->length - 1;
		uint64_t start =
			run.start > from + margin ? run.start - margin : from;
		uint64_t stop = run.end < upto ? run.end : upto;

		start = aligned_up(s, start);
		search_run(s, start, stop, end);
		s->done += start - from;
		from = run.end;
	}
}

uint64_t memory_search(struct session *session,
		       const struct memory_pattern *pattern,
		       struct memory_range range, memory_found_fn *found,
		       void *context)
{
	const struct target *target = session->target;
	struct search s = {
		.session = session,
		.pattern = pattern,
		.length = pattern->bytes ? pattern->length : pattern->size,
		.step = pattern->bytes || pattern->unaligned ? 1
							     : pattern->size,
		.found = found,
		.context = context,
	};
	bool zeros = zeros_match(&s);

	for (size_t i = 0; i < target->extent_count; i++)
		s.total += target->extents[i].end - target->extents[i].start;
	for (size_t i = 0; i < target->extent_count && !s.stopped; i++) {
		const struct dump_extent *extent = &target->extents[i];
		uint64_t from =
			extent->start > range.from ? extent->start : range.from;
		uint64_t upto =
			extent->end < range.upto ? extent->end : range.upto;

		if (from >= upto)
			continue;
		from = aligned_up(&s, from);
		if (zeros)
			search_run(&s, from, upto, extent->end);
		else
			search_data(&s, from, upto, extent->end);
	}
	return s.missing;
}
