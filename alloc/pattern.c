/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/pattern.h"

#include "alloc/root.h"

#include <string.h>

static uint64_t guard_word(uintptr_t address)
{
	uint64_t mixed = (kma_root.canary_secret ^ address) *
			 UINT64_C(0x9E3779B97F4A7C15);

	return (mixed ^ mixed >> 32) | UINT64_C(0x0101010101010101);
}

/* The bits of a little-endian word that stand for bytes from first to last. */
static uint64_t bytes_mask(unsigned first, unsigned end)
{
	uint64_t below_end =
		end == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * end)) - 1;

	return below_end & UINT64_MAX << (8 * first);
}

/* The mask of the bytes of the word at address that lie in [from, to). */
static uint64_t mask_in(uintptr_t address, uintptr_t from, uintptr_t to)
{
	unsigned first = from > address ? (unsigned)(from - address) : 0;
	unsigned end = to - address < 8 ? (unsigned)(to - address) : 8;

	return bytes_mask(first, end);
}

static unsigned char expected_byte(uintptr_t address, const uint64_t *pattern)
{
	uintptr_t word = address & ~(uintptr_t)7;
	uint64_t value = pattern ? *pattern : guard_word(word);

	return (unsigned char)(value >> 8 * (address - word));
}

/* Fill ret: address is in the first word that is wrong. pattern NULL: guard. */
static void describe(uintptr_t address, uintptr_t to, const uint64_t *pattern,
		     struct kma_damage *ret)
{
	while (*(unsigned char *)address == expected_byte(address, pattern))
		address++;
	ret->address = address;
	ret->shown = 1;
	for (size_t i = 0; i < KMA_DAMAGE_SHOWN && address + i < to; i++) {
		ret->expected[i] = expected_byte(address + i, pattern);
		ret->found[i] = *(unsigned char *)(address + i);
		if (ret->expected[i] != ret->found[i])
			ret->shown = i + 1;
	}
}

void kma_guard_set(uintptr_t from, uintptr_t to)
{
	uintptr_t address = from & ~(uintptr_t)7;

	for (; address < to; address += 8) {
		uint64_t *word = (uint64_t *)address;
		uint64_t mask = mask_in(address, from, to);

		*word = (*word & ~mask) | (guard_word(address) & mask);
	}
}

bool kma_guard_check(uintptr_t from, uintptr_t to, struct kma_damage *ret)
{
	uintptr_t address = from & ~(uintptr_t)7;

	for (; address < to; address += 8) {
		uint64_t wrong = *(uint64_t *)address ^ guard_word(address);

		if (__builtin_expect((wrong & mask_in(address, from, to)) != 0,
				     0)) {
			describe(address > from ? address : from, to, NULL,
				 ret);
			return false;
		}
	}
	return true;
}

/* Four words at a time, which the compiler turns into vectors. */
enum { BLOCK = 32 };

void kma_fill_set(uintptr_t from, size_t size, uint64_t pattern)
{
	const uint64_t block[BLOCK / 8] = { pattern, pattern, pattern,
					    pattern };
	char *at = (char *)from;

	for (; size >= BLOCK; size -= BLOCK, at += BLOCK)
		memcpy(at, block, BLOCK);
	for (; size >= 8; size -= 8, at += 8)
		memcpy(at, block, 8);
	memcpy(at, block, size);
}

static uint64_t block_wrong(const uint64_t *word, uint64_t pattern)
{
	return (word[0] ^ pattern) | (word[1] ^ pattern) | (word[2] ^ pattern) |
	       (word[3] ^ pattern);
}

bool kma_fill_check(uintptr_t from, size_t size, uint64_t pattern,
		    struct kma_damage *ret)
{
	uintptr_t at = from, to = from + size;

	while (to - at >= BLOCK && !block_wrong((uint64_t *)at, pattern))
		at += BLOCK;
	for (; at < to; at += 8) {
		uint64_t wrong = *(uint64_t *)at ^ pattern;

		if (__builtin_expect((wrong & mask_in(at, from, to)) != 0, 0)) {
			describe(at, to, &pattern, ret);
			return false;
		}
	}
	return true;
}
