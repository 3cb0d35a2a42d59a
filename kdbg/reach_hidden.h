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

/* Addresses of the heap, [low, low + span), and the upper halves that they
 * have: from first, last more. The processor compares four with signs, so there
 * both are moved. */
struct hidden {
	halves four_first;
	signed_halves four_last;
	uint32_t first, last;
	uint64_t low, span;
};

static inline struct hidden hidden_in(uint64_t low, uint64_t span)
{
	const uint32_t sign = UINT32_C(1) << 31;
	const uint32_t first = (uint32_t)(low >> 32);
	const uint32_t last = (uint32_t)((low + span) >> 32) - first;

	return (struct hidden){ (halves){ 0 } + (first + sign),
				(signed_halves){ 0 } + (int32_t)(last - sign),
				first,
				last,
				low,
				span };
}

/* What is known of the words that were looked at. */
struct hiding {
	halves beyond; /* all ones: no lower half is one of an address */
	halves tags;   /* bits above the addresses in upper halves */
};

static inline struct hiding hiding_none(void)
{
	return (struct hiding){ ~(halves){ 0 }, { 0 } };
}

/* All ones where the half is none of an address. */
static inline halves hidden_beyond(const struct hidden *hidden, halves half)
{
	return (halves)((signed_halves)(half - hidden->four_first) >
			hidden->four_last);
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

/* May one of four words be a pointer, as it stands or tagged? */
static inline bool hidden_four(const struct hidden *hidden, const char *words,
			       struct hiding *hiding)
{
	halves two, four, upper, beyond;

	memcpy(&two, words, sizeof(two));
	memcpy(&four, words + sizeof(two), sizeof(four));
	hiding->beyond &= hidden_beyond(
		hidden, __builtin_shufflevector(two, four, 0, 2, 4, 6));
	upper = __builtin_shufflevector(two, four, 1, 3, 5, 7);
	beyond = hidden_beyond(hidden, upper & ~HIDDEN_TAG);
	if (halves_signs(beyond) == (1 << HIDDEN_WORDS) - 1)
		return false;
	hiding->tags |= upper & HIDDEN_TAG & ~beyond;
	return true;
}

/* The same of one; no matter if it may be a pointer. */
static inline void hidden_one(const struct hidden *hidden, uint64_t word,
			      struct hiding *hiding)
{
	uint32_t lower = (uint32_t)word, upper = (uint32_t)(word >> 32);

	if (lower - hidden->first <= hidden->last)
		hiding->beyond = (halves){ 0 };
	if ((upper & ~HIDDEN_TAG) - hidden->first <= hidden->last)
		hiding->tags |= upper & HIDDEN_TAG;
}

static inline bool hidden_any(const struct hiding *hiding)
{
	uint64_t tags[2];

	memcpy(tags, &hiding->tags, sizeof(tags));
	return halves_signs(hiding->beyond) != (1 << HIDDEN_WORDS) - 1 ||
	       (tags[0] | tags[1]);
}

/* May one of the words hide a pointer? */
static inline bool hidden_may(const struct hidden *hidden, const char *words,
			      size_t count)
{
	struct hiding hiding = hiding_none();

	for (; count >= HIDDEN_WORDS; count -= HIDDEN_WORDS) {
		hidden_four(hidden, words, &hiding);
		words += HIDDEN_WORDS * sizeof(uint64_t);
	}
	for (; count; count--, words += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, words, sizeof(word));
		hidden_one(hidden, word, &hiding);
	}
	return hidden_any(&hiding);
}

#endif
