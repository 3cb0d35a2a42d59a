/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes we leave where the program must not write: fills of constant words,
 * and guards (redzones, canaries) whose every byte depends on its address and
 * on this process's secret. No byte of a guard is below 0x80, so that one byte
 * too many always shows that is a terminator, a letter or a small number.
 *
 * Setting and checking are in line, as every audited call does both; a check
 * gathers what differs and looks once. Where the damage is, is found after.
 */
#ifndef ALLOC_PATTERN_H
#define ALLOC_PATTERN_H

#include "alloc/root.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KMA_FILL_FREE          UINT64_C(0xdeadbeefdeadbeef)
#define KMA_FILL_UNINITIALISED UINT64_C(0xbaddcafebaddcafe)
static_assert((uint32_t)KMA_FILL_FREE == KMA_FILL_FREE >> 32 &&
		      (uint32_t)KMA_FILL_UNINITIALISED ==
			      KMA_FILL_UNINITIALISED >> 32,
	      "kma_fill_turned() counts on four bytes again and again");

/* Of the rule for guards and fills that dumpfmt/layout.h tells a debugger:
 * raise it with any change to what pattern.c or audit.c leaves in memory. */
enum { KMA_PATTERN_REVISION = 2 };

enum { KMA_DAMAGE_SHOWN = 16 };

/* What does not read as it should. */
struct kma_damage {
	uintptr_t address; /* of the first changed byte */
	size_t shown;      /* bytes from there on that are worth showing */
	unsigned char expected[KMA_DAMAGE_SHOWN];
	unsigned char found[KMA_DAMAGE_SHOWN];
};

static inline uint64_t kma_guard_word(uintptr_t address)
{
	uint64_t mixed = (kma_root.canary_secret ^ address) *
			 UINT64_C(0x9E3779B97F4A7C15);

	return (mixed ^ mixed >> 32) | UINT64_C(0x8080808080808080);
}

/* Of a little-endian word the bytes from number first on, 0 to 7. */
static inline uint64_t kma_bytes_from(uintptr_t first)
{
	return UINT64_MAX << 8 * (first & 7);
}

/* Those before number end. */
static inline uint64_t kma_bytes_below(uintptr_t end)
{
	return ~kma_bytes_from(end);
}

static inline uint64_t *kma_word_at(uintptr_t address)
{
	return (uint64_t *)(address & ~(uintptr_t)7);
}

/* Write the bytes of value that mask has. */
static inline void kma_word_merge(uint64_t *word, uint64_t value, uint64_t mask)
{
	*word = (*word & ~mask) | (value & mask);
}

/* 0: the whole word there reads as it should. */
static inline uint64_t kma_guard_word_wrong(uintptr_t address)
{
	return *(const uint64_t *)address ^ kma_guard_word(address);
}

/* A guard [from, to) that ends with a word, and has bytes. 0: as it should. */
static inline uint64_t kma_guard_wrong_words(uintptr_t from, uintptr_t to)
{
	uintptr_t at = from & ~(uintptr_t)7;
	uint64_t wrong = kma_guard_word_wrong(at) & kma_bytes_from(from);

	while ((at += 8) < to)
		wrong |= kma_guard_word_wrong(at);
	return wrong;
}

static inline void kma_guard_set_words(uintptr_t from, uintptr_t to)
{
	uint64_t *at = kma_word_at(from), *last = kma_word_at(to);

	kma_word_merge(at, kma_guard_word((uintptr_t)at), kma_bytes_from(from));
	while (++at < last)
		*at = kma_guard_word((uintptr_t)at);
}

/* Any other. */
static inline uint64_t kma_guard_wrong(uintptr_t from, uintptr_t to)
{
	uintptr_t last = to & ~(uintptr_t)7;
	uint64_t wrong = 0, mask = kma_bytes_from(from);

	if (from < last) {
		wrong = kma_guard_wrong_words(from, last);
		mask = UINT64_MAX;
	}
	if (__builtin_expect(to & 7, 0))
		wrong |=
			kma_guard_word_wrong(last) & mask & kma_bytes_below(to);
	return wrong;
}

static inline void kma_guard_set(uintptr_t from, uintptr_t to)
{
	uintptr_t last = to & ~(uintptr_t)7;
	uint64_t mask = kma_bytes_from(from);

	if (from < last) {
		kma_guard_set_words(from, last);
		mask = UINT64_MAX;
	}
	if (__builtin_expect((to & 7) && from < to, 0))
		kma_word_merge(kma_word_at(last), kma_guard_word(last),
			       mask & kma_bytes_below(to));
}

/*
 * A fill is size bytes from an 8-aligned address; its pattern is the same four
 * bytes again and again. A pair of words, or one, at any address in it reads as
 * the pattern turned by the address's last two bits: so the last ones, which
 * may overlap those before them, end where the fill ends, and no length needs a
 * branch for each of its bits.
 */
typedef uint64_t kma_word_pair
	__attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t kma_word_anywhere __attribute__((aligned(1), may_alias));

static inline uint64_t kma_fill_turned(uint64_t pattern, size_t by)
{
	unsigned bits = 8 * (by & 3);

	return pattern >> bits | pattern << (-bits & 63);
}

/* 0: it reads as it should. */
static inline uint64_t kma_fill_wrong(uintptr_t from, size_t size,
				      uint64_t pattern)
{
	uintptr_t end = from + size;
	uint64_t turned = kma_fill_turned(pattern, size);

	if (size >= 16) {
		const kma_word_pair fill = { pattern, pattern };
		const kma_word_pair last = { turned, turned };
		kma_word_pair wrong =
			(*(const kma_word_pair *)from ^ fill) |
			(*(const kma_word_pair *)(end - 16) ^ last);

		if (size > 32) {
			wrong |= *(const kma_word_pair *)(end - 32) ^ last;
			for (from += 16; from < end - 32; from += 32)
				wrong |= (*(const kma_word_pair *)from ^ fill) |
					 (*(const kma_word_pair *)(from + 16) ^
					  fill);
		}
		return wrong[0] | wrong[1];
	}
	if (size >= 8)
		return (*(const uint64_t *)from ^ pattern) |
		       (*(const kma_word_anywhere *)(end - 8) ^ turned);
	return size ? (*(const uint64_t *)from ^ pattern) &
			       kma_bytes_below(size)
		    : 0;
}

static inline void kma_fill_set(uintptr_t from, size_t size, uint64_t pattern)
{
	uintptr_t end = from + size;
	uint64_t turned = kma_fill_turned(pattern, size);

	if (size >= 16) {
		const kma_word_pair fill = { pattern, pattern };
		const kma_word_pair last = { turned, turned };

		*(kma_word_pair *)from = fill;
		*(kma_word_pair *)(end - 16) = last;
		if (size <= 32)
			return;
		*(kma_word_pair *)(end - 32) = last;
		for (from += 16; from < end - 32; from += 32)
			*(kma_word_pair *)from = *(kma_word_pair *)(from + 16) =
				fill;
	} else if (size >= 8) {
		*(uint64_t *)from = pattern;
		*(kma_word_anywhere *)(end - 8) = turned;
	} else if (size) {
		kma_word_merge((uint64_t *)from, pattern,
			       kma_bytes_below(size));
	}
}

/* A guard or a fill that reads wrong: what differs. */
void kma_guard_describe(uintptr_t from, uintptr_t to, struct kma_damage *ret);
void kma_fill_describe(uintptr_t from, size_t size, uint64_t pattern,
		       struct kma_damage *ret);

#endif
