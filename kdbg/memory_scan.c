/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A block is first asked whether it has any match, without a branch, at the
 * speed of memory; only a block that has one is looked at word by word.
 *
 * The question is asked in words of their own width, so that a register holds
 * as many of them as it can: where the range of a pattern does not end beyond
 * the width, both say the same (narrow()). Loops over a block have a constant
 * count and are what compilers make vector code of; on x86-64 there are two of
 * each, the second for processors with registers of 32 bytes.
 */
#include "kdbg/memory_scan.h"

#include <string.h>

enum { BLOCK = 512 /* bytes */ };

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* A pattern whose words are of a width: (word & mask) - low <= span. */
struct narrow {
	uint64_t mask, low, span;
	bool never; /* nothing of that width matches */
	bool whole; /* it does not fit: blocks are not asked */
};

static struct narrow narrow(const struct memory_pattern *pattern)
{
	unsigned unused = 64 - pattern->size * 8;
	uint64_t most = UINT64_MAX >> unused;
	struct narrow ret = { .mask = pattern->mask & most,
			      .low = pattern->low,
			      .span = pattern->span };

	if (!unused)
		return ret;
	if (ret.span > UINT64_MAX - ret.low) { /* it goes on at zero */
		ret.whole = ret.low <= most;
		ret.span += ret.low;
		ret.low = 0;
	}
	ret.never = ret.low > most;
	if (!ret.never && ret.span > most - ret.low)
		ret.span = most - ret.low;
	return ret;
}

/* Has the block a match? Once for a value, once for a range of them. */
#define DEFINE_ANY(name, word_t)                                            \
	static ALWAYS_INLINE bool name(const unsigned char *bytes,          \
				       const struct narrow *n)              \
	{                                                                   \
		word_t mask = (word_t)n->mask, low = (word_t)n->low;        \
		word_t span = (word_t)n->span, any = 0;                     \
		word_t words[BLOCK / sizeof(word_t)];                       \
                                                                            \
		memcpy(words, bytes, BLOCK);                                \
		if (!span) {                                                \
			for (size_t i = 0; i < BLOCK / sizeof(word_t); i++) \
				any |= (word_t)(words[i] & mask) == low;    \
			return any;                                         \
		}                                                           \
		for (size_t i = 0; i < BLOCK / sizeof(word_t); i++)         \
			any |= (word_t)((words[i] & mask) - low) <= span;   \
		return any;                                                 \
	}

DEFINE_ANY(any_8, uint8_t)
DEFINE_ANY(any_16, uint16_t)
DEFINE_ANY(any_32, uint32_t)
DEFINE_ANY(any_64, uint64_t)

/* One of BLOCK places begins with first and ends, last bytes later, with end?
 */
static ALWAYS_INLINE bool any_ends(const unsigned char *bytes, size_t last,
				   unsigned char first, unsigned char end)
{
	unsigned char any = 0;

	for (size_t i = 0; i < BLOCK; i++)
		any |= (bytes[i] == first) & (bytes[i + last] == end);
	return any;
}

typedef bool any_fn(const unsigned char *bytes, const struct narrow *n);
typedef bool any_ends_fn(const unsigned char *bytes, size_t last,
			 unsigned char first, unsigned char end);

struct loops {
	any_fn *words[4]; /* of 1, 2, 4, 8 bytes */
	any_ends_fn *ends;
};

#define DEFINE_LOOPS(kind, attributes)                                       \
	attributes static bool kind##_8(const unsigned char *bytes,          \
					const struct narrow *n)              \
	{                                                                    \
		return any_8(bytes, n);                                      \
	}                                                                    \
	attributes static bool kind##_16(const unsigned char *bytes,         \
					 const struct narrow *n)             \
	{                                                                    \
		return any_16(bytes, n);                                     \
	}                                                                    \
	attributes static bool kind##_32(const unsigned char *bytes,         \
					 const struct narrow *n)             \
	{                                                                    \
		return any_32(bytes, n);                                     \
	}                                                                    \
	attributes static bool kind##_64(const unsigned char *bytes,         \
					 const struct narrow *n)             \
	{                                                                    \
		return any_64(bytes, n);                                     \
	}                                                                    \
	attributes static bool kind##_ends(const unsigned char *bytes,       \
					   size_t last, unsigned char first, \
					   unsigned char end)                \
	{                                                                    \
		return any_ends(bytes, last, first, end);                    \
	}                                                                    \
	static const struct loops kind = {                                   \
		{ kind##_8, kind##_16, kind##_32, kind##_64 }, kind##_ends   \
	};

DEFINE_LOOPS(plain, )
#ifdef __x86_64__
DEFINE_LOOPS(avx2, __attribute__((target("avx2"))))
#endif

static const struct loops *choose_loops(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return &avx2;
#endif
	return &plain;
}

static uint64_t word_at(const unsigned char *bytes, unsigned size)
{
	uint64_t word = 0;

	memcpy(&word, bytes, size); /* little-endian */
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

/* Unaligned words are aligned ones from each of size places on. */
static bool block_has(any_fn *any, const struct narrow *n,
		      const struct memory_scan *scan,
		      const unsigned char *bytes)
{
	size_t starts = scan->step == 1 ? scan->length : 1;
	bool has = n->whole;

	for (size_t i = 0; i < starts && !has; i++)
		has = any(bytes + i, n);
	return has;
}

static void scan_words(struct memory_scan *scan)
{
	const struct memory_pattern *pattern = scan->pattern;
	const struct narrow n = narrow(pattern);
	any_fn *any = choose_loops()->words[__builtin_ctz(pattern->size)];
	size_t block = BLOCK / scan->step; /* places */

	if (n.never)
		scan->at = scan->count;
	while (scan->at < scan->count && has_room(scan, block)) {
		const unsigned char *bytes =
			scan->bytes + scan->at * scan->step;
		size_t left = scan->count - scan->at;
		size_t places = left < block ? left : block;

		if (places == block && !block_has(any, &n, scan, bytes))
			places = 0;
		for (size_t i = 0; i < places; i++)
			if (memory_word_matches(pattern,
						word_at(bytes + i * scan->step,
							pattern->size)))
				keep(scan, scan->at + i);
		scan->at += left < block ? left : block;
	}
}

static void scan_bytes(struct memory_scan *scan)
{
	const unsigned char *wanted = scan->pattern->bytes;
	size_t last = scan->length - 1;
	any_ends_fn *any = choose_loops()->ends;

	while (scan->at < scan->count && has_room(scan, BLOCK)) {
		const unsigned char *at = scan->bytes + scan->at;
		size_t left = scan->count - scan->at;
		size_t places = left < BLOCK ? left : BLOCK;
		bool none = places == BLOCK &&
			    !any(at, last, wanted[0], wanted[last]);

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
		scan_words(scan);
}
