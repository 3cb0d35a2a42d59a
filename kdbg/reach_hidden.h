/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words that may be pointers into the heap, or hide one: packed to a multiple
 * of four, or tagged. Most words are neither, which the upper half of addresses
 * tells of four at once; a packed pointer has it in the lower half of a word, a
 * tagged one in the upper half, under bits that no address has.
 */
#ifndef KDBG_REACH_HIDDEN_H
#define KDBG_REACH_HIDDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
	HIDDEN_ADDRESS_BITS = 47, /* of a program's pointers */
	HIDDEN_WORDS = 4,         /* looked at at once */
};

#define HIDDEN_TAG (~UINT32_C(0) << (HIDDEN_ADDRESS_BITS - 32))

typedef uint32_t halves __attribute__((vector_size(16)));
typedef int32_t signed_halves __attribute__((vector_size(16)));

/* The upper halves that addresses of the heap have: from first, last more. The
 * processor compares with signs, so both are moved. */
struct hidden {
	halves first;
	signed_halves last;
};

static inline struct hidden hidden_in(uint64_t low, uint64_t span)
{
	const uint32_t sign = UINT32_C(1) << 31;
	const uint32_t first = (uint32_t)(low >> 32);
	const uint32_t last = (uint32_t)((low + span) >> 32) - first;

	return (struct hidden){ (halves){ 0 } + (first + sign),
				(signed_halves){ 0 } + (int32_t)(last - sign) };
}

/* All ones where the half is none of an address. */
static inline halves hidden_beyond(const struct hidden *hidden, halves half)
{
	return (halves)((signed_halves)(half - hidden->first) > hidden->last);
}

/* The sign of each, a bit each. */
static inline unsigned halves_signs(halves all)
{
#ifdef __SSE2__
	return (unsigned)_mm_movemask_ps((__m128)all);
#else
	return all[0] >> 31 | all[1] >> 31 << 1 | all[2] >> 31 << 2 |
	       all[3] >> 31 << 3;
#endif
}

/* Of four words, a bit each of those that may be pointers as they stand;
 * *hiding gets bits where one may be hidden. */
static inline unsigned hidden_pointers(const struct hidden *hidden,
				       const char *words, halves *hiding)
{
	halves two, four, lower, upper, beyond;

	memcpy(&two, words, sizeof(two));
	memcpy(&four, words + sizeof(two), sizeof(four));
	lower = __builtin_shufflevector(two, four, 0, 2, 4, 6);
	upper = __builtin_shufflevector(two, four, 1, 3, 5, 7);
	beyond = hidden_beyond(hidden, upper);
	*hiding |= ~hidden_beyond(hidden, lower);
	*hiding |= ~hidden_beyond(hidden, upper & ~HIDDEN_TAG) & beyond;
	return halves_signs(~beyond);
}

static inline bool hidden_any(halves hiding)
{
	uint64_t parts[2];

	memcpy(parts, &hiding, sizeof(parts));
	return parts[0] | parts[1];
}

/* May one of the words hide a pointer? */
static inline bool hidden_may(const struct hidden *hidden, const char *words,
			      size_t count)
{
	char rest[HIDDEN_WORDS * sizeof(uint64_t)] = { 0 };
	halves hiding = { 0 };
	size_t i = 0;

	for (; i + HIDDEN_WORDS <= count; i += HIDDEN_WORDS)
		hidden_pointers(hidden, words + i * sizeof(uint64_t), &hiding);
	if (i < count) {
		memcpy(rest, words + i * sizeof(uint64_t),
		       (count - i) * sizeof(uint64_t));
		hidden_pointers(hidden, rest, &hiding);
	}
	return hidden_any(hiding);
}

#endif
