/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32 at the speed of memory.
 *
 * zlib's takes as long as everything else that is done with a stored block. The
 * processor multiplies polynomials over GF(2): 16 bytes times x^128 mod P, 33
 * bits by two of 64, are 16 bytes that can be added to those that come 16
 * bytes later without changing the remainder. So a long message becomes a short
 * one of the same CRC, in four strands of 16 bytes that do not wait for each
 * other; what is left of it is zlib's.
 */
#include "dumpfmt/crc.h"

#include <zlib.h>

#ifdef __x86_64__

#include <immintrin.h>

#define FOLDS __attribute__((target("pclmul,sse4.1")))

enum {
	STRAND = 16,
	STRANDS = 4,
	WORTH_FOLDING = 256, /* bytes */
};

/* Reflected, as the bits of a byte are: x^(8 * distance + 32) mod P for the
 * low half of a strand, x^(8 * distance - 32) for its high half. */
#define DISTANCE_64_LOW  0x154442bd4
#define DISTANCE_64_HIGH 0x1c6e41596
#define DISTANCE_16_LOW  0x1751997d0
#define DISTANCE_16_HIGH 0x0ccaa009e

FOLDS static inline __m128i load(const unsigned char *at)
{
	return _mm_loadu_si128((const void *)at);
}

/* The strand, added to what comes a distance later. */
FOLDS static inline __m128i fold(__m128i strand, __m128i distance, __m128i next)
{
	__m128i low = _mm_clmulepi64_si128(strand, distance, 0x00);
	__m128i high = _mm_clmulepi64_si128(strand, distance, 0x11);

	return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/* Of at least 64 bytes. */
FOLDS static uint32_t crc_folded(uint32_t crc, const unsigned char *data,
				 size_t size)
{
	const __m128i all = _mm_set_epi64x(DISTANCE_64_HIGH, DISTANCE_64_LOW);
	const __m128i one = _mm_set_epi64x(DISTANCE_16_HIGH, DISTANCE_16_LOW);
	__m128i a = _mm_xor_si128(load(data), _mm_cvtsi32_si128((int)~crc));
	__m128i b = load(data + STRAND), c = load(data + 2 * STRAND);
	__m128i d = load(data + 3 * STRAND);
	unsigned char rest[STRAND];

	for (;;) {
		data += STRAND * STRANDS;
		size -= STRAND * STRANDS;
		if (size < STRAND * STRANDS)
			break;
		a = fold(a, all, load(data));
		b = fold(b, all, load(data + STRAND));
		c = fold(c, all, load(data + 2 * STRAND));
		d = fold(d, all, load(data + 3 * STRAND));
	}
	d = fold(fold(fold(a, one, b), one, c), one, d);
	_mm_storeu_si128((void *)rest, d);
	/* zlib complements at either end: this is a register of zeros. */
	crc = (uint32_t)crc32_z(UINT32_MAX, rest, sizeof(rest));
	return (uint32_t)crc32_z(crc, data, size);
}

uint32_t dump_crc(uint32_t crc, const void *data, size_t size)
{
	/* False, too, where libgcc has not looked yet: before constructors. */
	if (size >= WORTH_FOLDING && __builtin_cpu_supports("pclmul") &&
	    __builtin_cpu_supports("sse4.1"))
		return crc_folded(crc, data, size);
	return (uint32_t)crc32_z(crc, data, size);
}

#else

uint32_t dump_crc(uint32_t crc, const void *data, size_t size)
{
	return (uint32_t)crc32_z(crc, data, size);
}

#endif
