/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of .eh_frame: numbers of any size, and its encoded pointers. */
#ifndef ALLOC_UNWIND_READER_H
#define ALLOC_UNWIND_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	DW_EH_PE_omit = 0xff,
	DW_EH_PE_format = 0x0f,
	DW_EH_PE_absptr = 0x00,
	DW_EH_PE_uleb128 = 0x01,
	DW_EH_PE_udata2 = 0x02,
	DW_EH_PE_udata4 = 0x03,
	DW_EH_PE_udata8 = 0x04,
	DW_EH_PE_sleb128 = 0x09,
	DW_EH_PE_sdata2 = 0x0a,
	DW_EH_PE_sdata4 = 0x0b,
	DW_EH_PE_sdata8 = 0x0c,
	DW_EH_PE_relation = 0x70,
	DW_EH_PE_pcrel = 0x10,
	DW_EH_PE_datarel = 0x30,
};

/* Bytes still to be read. The first failure sticks; later reads are zero. */
struct kma_reader {
	const uint8_t *at, *end;
	bool bad;
};

static inline uint64_t kma_read_bytes(struct kma_reader *r, size_t size)
{
	uint64_t value = 0;

	if (r->bad || size > (size_t)(r->end - r->at)) {
		r->bad = true;
		return 0;
	}
	memcpy(&value, r->at, size);
	r->at += size;
	return value;
}

static inline uint8_t kma_read_u8(struct kma_reader *r)
{
	return (uint8_t)kma_read_bytes(r, 1);
}

/* Seven bits a byte, the low ones first; *shift: how many there were. */
static inline uint64_t kma_read_leb(struct kma_reader *r, unsigned *shift)
{
	uint64_t value = 0;
	uint8_t byte;

	*shift = 0;
	do {
		byte = kma_read_u8(r);
		if (*shift < 64)
			value |= (uint64_t)(byte & 0x7f) << *shift;
		*shift += 7;
	} while (byte & 0x80);
	return value;
}

static inline uint64_t kma_read_uleb(struct kma_reader *r)
{
	unsigned shift;

	return kma_read_leb(r, &shift);
}

static inline int64_t kma_read_sleb(struct kma_reader *r)
{
	unsigned shift;
	uint64_t value = kma_read_leb(r, &shift);

	if (shift < 64 && value >> (shift - 1))
		value |= UINT64_MAX << shift;
	return (int64_t)value;
}

static inline void kma_read_skip(struct kma_reader *r, uint64_t size)
{
	if (r->bad || size > (uint64_t)(r->end - r->at))
		r->bad = true;
	else
		r->at += size;
}

/* header is what DATAREL is relative to. INDIRECT is left to who cares. */
uintptr_t kma_read_encoded(struct kma_reader *r, uint8_t encoding,
			   const uint8_t *header);

#endif
