/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/unwind_reader.h"

/* Sign-extend the low bits of value. */
static uint64_t extend(uint64_t value, unsigned bits)
{
	return (uint64_t)((int64_t)(value << (64 - bits)) >> (64 - bits));
}

uintptr_t kma_read_encoded(struct kma_reader *r, uint8_t encoding,
			   const uint8_t *header)
{
	uintptr_t here = (uintptr_t)r->at, value;

	if (encoding == DW_EH_PE_omit)
		return 0;
	switch (encoding & DW_EH_PE_format) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		value = kma_read_bytes(r, 8);
		break;
	case DW_EH_PE_uleb128:
		value = kma_read_uleb(r);
		break;
	case DW_EH_PE_sleb128:
		value = (uint64_t)kma_read_sleb(r);
		break;
	case DW_EH_PE_udata2:
		value = kma_read_bytes(r, 2);
		break;
	case DW_EH_PE_sdata2:
		value = extend(kma_read_bytes(r, 2), 16);
		break;
	case DW_EH_PE_udata4:
		value = kma_read_bytes(r, 4);
		break;
	case DW_EH_PE_sdata4:
		value = extend(kma_read_bytes(r, 4), 32);
		break;
	default:
		r->bad = true;
		return 0;
	}
	switch (encoding & DW_EH_PE_relation) {
	case DW_EH_PE_pcrel:
		return value + here;
	case DW_EH_PE_datarel:
		return value + (uintptr_t)header;
	default:
		return value;
	}
}
