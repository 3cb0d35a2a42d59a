/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/pattern.h"

static unsigned char expected_byte(uintptr_t address, const uint64_t *pattern)
{
	uintptr_t word = address & ~(uintptr_t)7;
	uint64_t value = pattern ? *pattern : kma_guard_word(word);

	return (unsigned char)(value >> 8 * (address - word));
}

/* pattern NULL: guard. Another thread may have mended it meanwhile: then what
 * is told is the last byte. */
static void describe(uintptr_t address, uintptr_t to, const uint64_t *pattern,
		     struct kma_damage *ret)
{
	while (address + 1 < to &&
	       *(unsigned char *)address == expected_byte(address, pattern))
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

void kma_guard_describe(uintptr_t from, uintptr_t to, struct kma_damage *ret)
{
	describe(from, to, NULL, ret);
}

void kma_fill_describe(uintptr_t from, size_t size, uint64_t pattern,
		       struct kma_damage *ret)
{
	describe(from, from + size, &pattern, ret);
}
