/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A block is first asked whether it has any match, without a branch, at the
 * speed of memory; only a block that has one is looked at word by word. For
 * bytes the first and the last of them are compared at 16 places at once.
 */
#include "kdbg/memory_scan.h"

#include <string.h>

enum {
	BLOCK = 64, /* words */
	LANES = 16, /* what every x86-64 and aarch64 has */
};

typedef unsigned char lanes __attribute__((vector_size(LANES)));

static inline __attribute__((always_inline)) uint64_t
word_at(const unsigned char *bytes, unsigned size)
{
	uint64_t word = 0;

	memcpy(&word, bytes, size); /* little-endian; size is constant */
	return word;
}

static void keep(struct memory_scan *scan, size_t place)
{
	scan->matches[scan->found++] = scan->address + place * scan->step;
}

static bool has_room(const struct memory_scan *scan, size_t places)
{
	return scan->found + places <= SCAN_MATCHES_MAX;
}

/* Inlined once for each size, so that the inner loop has no call. */
static inline __attribute__((always_inline)) void
scan_words(struct memory_scan *scan, unsigned size, size_t step)
{
	const struct memory_pattern pattern = *scan->pattern;

	while (scan->at < scan->count && has_room(scan, BLOCK)) {
		const unsigned char *bytes = scan->bytes + scan->at * step;
		size_t left = scan->count - scan->at;
		size_t words = left < BLOCK ? left : BLOCK;
		bool any = false;

		for (size_t i = 0; i < words; i++)
			any |= memory_word_matches(
				&pattern, word_at(bytes + i * step, size));
		for (size_t i = 0; any && i < words; i++)
			if (memory_word_matches(
				    &pattern, word_at(bytes + i * step, size)))
				keep(scan, scan->at + i);
		scan->at += words;
	}
}

static void scan_sized(struct memory_scan *scan)
{
	bool unaligned = scan->pattern->unaligned;

	switch (scan->pattern->size) {
	case 1:
		scan_words(scan, 1, 1);
		break;
	case 2:
		scan_words(scan, 2, unaligned ? 1 : 2);
		break;
	case 4:
		scan_words(scan, 4, unaligned ? 1 : 4);
		break;
	default:
		if (unaligned)
			scan_words(scan, 8, 1);
		else
			scan_words(scan, 8, 8);
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

static void scan_bytes(struct memory_scan *scan)
{
	const unsigned char *wanted = scan->pattern->bytes;
	size_t last = scan->length - 1;
	lanes first_byte = lanes_of(wanted[0]),
	      last_byte = lanes_of(wanted[last]);

	while (scan->at < scan->count && has_room(scan, LANES)) {
		const unsigned char *at = scan->bytes + scan->at;
		size_t left = scan->count - scan->at;
		size_t places = left < LANES ? left : LANES;
		bool none = places == LANES &&
			    !any_lane(at, last, first_byte, last_byte);

		for (size_t i = 0; !none && i < places; i++)
			if (memcmp(at + i, wanted, scan->length) == 0)
				keep(scan, scan->at + i);
		scan->at += places;
	}
}

void memory_scan(struct memory_scan *scan)
{
	if (scan->pattern->bytes)
		scan_bytes(scan);
	else
		scan_sized(scan);
}
