/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes we leave where the program must not write: fills of constant words,
 * and guards (redzones, canaries) whose every byte depends on its address and
 * on this process's secret. No byte of a guard is 0, so that the terminator
 * of a string one byte too long shows.
 *
 * Setting and checking are in line, as every audited call does both; a check
 * gathers what differs and looks once. Where the damage is, is found after.
 */
#ifndef ALLOC_PATTERN_H
#define ALLOC_PATTERN_H

#include "alloc/root.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KMA_FILL_FREE          UINT64_C(0xdeadbeefdeadbeef)
#define KMA_FILL_UNINITIALISED UINT64_C(0xbaddcafebaddcafe)

/* Of the rule for guards and fills that dumpfmt/layout.h tells a debugger:
 * raise it with any change to what pattern.c or audit.c leaves in memory. */
enum { KMA_PATTERN_REVISION = 1 };

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

	return (mixed ^ mixed >> 32) | UINT64_C(0x0101010101010101);
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

/* A guard is [from, to). 0: it reads as it should. */
static inline uint64_t kma_guard_wrong(uintptr_t from, uintptr_t to)
{
	const uint64_t *at = kma_word_at(from), *last = kma_word_at(to);
	uint64_t mask = kma_bytes_from(from), wrong = 0;

	for (; at < last; at++, mask = UINT64_MAX)
		wrong |= (*at ^ kma_guard_word((uintptr_t)at)) & mask;
	if (__builtin_expect(to & 7, 0))
		wrong |= (*at ^ kma_guard_word((uintptr_t)at)) & mask &
			 kma_bytes_below(to);
	return wrong;
}

static inline void kma_guard_set(uintptr_t from, uintptr_t to)
{
	uint64_t *at = kma_word_at(from), *last = kma_word_at(to);
	uint64_t mask = kma_bytes_from(from);

	if (at < last && (from & 7)) {
		kma_word_merge(at, kma_guard_word((uintptr_t)at), mask);
		at++;
		mask = UINT64_MAX;
	}
	for (; at < last; at++)
		*at = kma_guard_word((uintptr_t)at);
	if (__builtin_expect((to & 7) && from < to, 0))
		kma_word_merge(at, kma_guard_word((uintptr_t)at),
			       mask & kma_bytes_below(to));
}

/* Two words at a time; any address that is 8-aligned will do. */
typedef uint64_t kma_word_pair
	__attribute__((vector_size(16), aligned(8), may_alias));

/* A fill is size bytes from an 8-aligned address. 0: it reads as it should. */
static inline uint64_t kma_fill_wrong(uintptr_t from, size_t size,
				      uint64_t pattern)
{
	const kma_word_pair *at = (const kma_word_pair *)from;
	const kma_word_pair *last = at + size / 16;
	const kma_word_pair fill = { pattern, pattern };
	kma_word_pair gathered = { 0, 0 };

	for (; last - at >= 2; at += 2)
		gathered |= (at[0] ^ fill) | (at[1] ^ fill);
	if (at < last)
		gathered |= *at++ ^ fill;

	const uint64_t *word = (const uint64_t *)at;
	uint64_t wrong = gathered[0] | gathered[1];

	if (size & 8)
		wrong |= *word++ ^ pattern;
	if (size & 7)
		wrong |= (*word ^ pattern) & kma_bytes_below(size);
	return wrong;
}

static inline void kma_fill_set(uintptr_t from, size_t size, uint64_t pattern)
{
	kma_word_pair *at = (kma_word_pair *)from, *last = at + size / 16;
	const kma_word_pair fill = { pattern, pattern };

	for (; last - at >= 2; at += 2)
		at[0] = at[1] = fill;
	if (at < last)
		*at++ = fill;

	uint64_t *word = (uint64_t *)at;

	if (size & 8)
		*word++ = pattern;
	if (size & 7)
		kma_word_merge(word, pattern, kma_bytes_below(size));
}

/* A guard or a fill that reads wrong: what differs. */
void kma_guard_describe(uintptr_t from, uintptr_t to, struct kma_damage *ret);
void kma_fill_describe(uintptr_t from, size_t size, uint64_t pattern,
		       struct kma_damage *ret);

#endif
