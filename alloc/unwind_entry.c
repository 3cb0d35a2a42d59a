/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc/unwind_entry.h"

#include "alloc/unwind.h"

#include <string.h>

/* The FDE whose function starts last at or before address, by the table. */
static const uint8_t *fde_find(const struct kma_module *module,
			       uintptr_t address)
{
	const uint8_t *header = module->eh_frame_header;
	struct kma_reader r = { .at = header,
				.end = (const uint8_t *)module->end };
	uint8_t version = kma_read_u8(&r), frame_encoding = kma_read_u8(&r);
	uint8_t count_encoding = kma_read_u8(&r),
		table_encoding = kma_read_u8(&r);

	kma_read_encoded(&r, frame_encoding, header);
	uint64_t count = kma_read_encoded(&r, count_encoding, header);
	if (r.bad || version != 1 || count_encoding == DW_EH_PE_omit ||
	    table_encoding != (DW_EH_PE_datarel | DW_EH_PE_sdata4) ||
	    count > (uint64_t)(r.end - r.at) / 8)
		return NULL;

	const int32_t(*table)[2] = (const void *)r.at;
	int64_t wanted = (int64_t)(address - (uintptr_t)header);
	uint64_t low = 0, high = count;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (table[middle][0] <= wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? header + table[low - 1][1] : NULL;
}

/* Bound r to one CIE or FDE; at is its length field. */
static bool entry_open(struct kma_reader *r, const uint8_t *at,
		       const struct kma_module *module)
{
	if ((uintptr_t)at < module->base || (uintptr_t)at >= module->end)
		return false;
	*r = (struct kma_reader){ .at = at,
				  .end = (const uint8_t *)module->end };
	uint64_t length = kma_read_bytes(r, 4);
	if (r->bad || length < 4 || length == UINT32_MAX ||
	    length > (uint64_t)(r->end - r->at))
		return false;
	r->end = r->at + length;
	return true;
}

static bool cie_parse(struct kma_frame_entry *entry, struct kma_reader *r)
{
	kma_read_skip(r, 4); /* the id, 0 */
	uint8_t version = kma_read_u8(r);
	const char *augmentation = (const char *)r->at;
	const char *terminator = memchr(r->at, 0, (size_t)(r->end - r->at));

	if (!terminator || (version != 1 && version != 3) ||
	    (*augmentation && *augmentation != 'z'))
		return false;
	r->at = (const uint8_t *)terminator + 1;
	entry->code_align = kma_read_uleb(r);
	entry->data_align = kma_read_sleb(r);
	uint64_t return_column =
		version == 1 ? kma_read_u8(r) : kma_read_uleb(r);
	entry->augmented = *augmentation == 'z';
	if (entry->augmented)
		kma_read_uleb(r); /* size of what follows: we read it all */
	for (const char *a = augmentation + 1; entry->augmented && *a; a++) {
		if (*a == 'R')
			entry->encoding = kma_read_u8(r);
		else if (*a == 'L')
			kma_read_u8(r);
		else if (*a == 'P')
			kma_read_encoded(r, kma_read_u8(r),
					 entry->module->eh_frame_header);
		else if (*a == 'S')
			entry->signal = true;
		else if (*a != 'B')
			return false;
	}
	entry->initial = *r;
	return !r->bad && kma_arch_column(return_column) == KMA_COLUMN_PC;
}

static bool entry_parse(struct kma_frame_entry *entry, const uint8_t *fde,
			const struct kma_module *module, uintptr_t address)
{
	const void *header = module->eh_frame_header;
	struct kma_reader r, cie;

	*entry = (struct kma_frame_entry){ .module = module };
	if (!entry_open(&r, fde, module))
		return false;
	const uint8_t *id = r.at;
	uint64_t back = kma_read_bytes(&r, 4);
	if (!entry_open(&cie, id - back, module) || !cie_parse(entry, &cie))
		return false;
	entry->start = kma_read_encoded(&r, entry->encoding, header);
	uintptr_t size =
		kma_read_encoded(&r, entry->encoding & DW_EH_PE_format, header);
	if (entry->augmented)
		kma_read_skip(&r, kma_read_uleb(&r));
	entry->program = r;
	return !r.bad && address - entry->start < size;
}

bool kma_frame_entry_find(const struct kma_module *module, uintptr_t address,
			  struct kma_frame_entry *ret)
{
	if (!module->eh_frame_header)
		return false;
	const uint8_t *fde = fde_find(module, address);

	return fde && entry_parse(ret, fde, module, address);
}
