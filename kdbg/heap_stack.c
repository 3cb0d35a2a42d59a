/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stacks of the depot. An id is the entry's offset in units of KMA_STACK_UNIT;
 * an entry must lie, with all its frames, in what the depot has used.
 */
#include "kdbg/heap_impl.h"

#include <stdlib.h>

enum { DEPTH_MAX = UINT16_MAX };

/* Where the depot's entries are; false: there is none. */
static bool read_depot(struct heap *heap, struct instance *part)
{
	const struct heap_layout *layout = &part->layout;
	const unsigned char *record;
	struct err *err;

	if (part->depot_read)
		return part->depot_used != 0;
	part->depot_read = true;
	uint64_t depot = record_uint(part->root, &layout->kma_root.depot);
	if (depot == 0)
		return false;
	err = heap_record(heap, &layout->kma_depot.self, depot, &record);
	if (err) {
		heap_note_err(heap, depot, err_wrap(err, "stack depot"));
		return false;
	}
	part->depot_base = record_uint(record, &layout->kma_depot.base);
	part->depot_used = record_uint(record, &layout->kma_depot.used);
	if (layout->kma_depot.table_mask.present)
		part->depot_table =
			(record_uint(record, &layout->kma_depot.table_mask) +
			 1) *
			sizeof(uint32_t);
	if (layout->kma_depot.count.present)
		part->depot_count =
			record_uint(record, &layout->kma_depot.count);
	if (layout->kma_depot.dropped.present)
		part->depot_dropped =
			record_uint(record, &layout->kma_depot.dropped);
	return part->depot_used != 0;
}

/* Reads that fail are no news to the caller: it has no such stack. */
static const unsigned char *view(struct heap *heap, uint64_t address,
				 uint64_t size)
{
	const void *bytes;
	struct err *err =
		target_view(heap->target, address, (size_t)size, &bytes);

	if (!err)
		return bytes;
	err_free(err);
	return NULL;
}

size_t heap_stack(struct heap *heap, size_t instance, uint32_t id,
		  const uint64_t **pcs, uint32_t *flags)
{
	struct instance *part = &heap->parts[instance];
	const struct heap_layout *layout = &part->layout;
	const struct field *pc = &layout->kma_stack.pc;
	uint64_t unit = layout->constants.KMA_STACK_UNIT.value;
	const unsigned char *entry;

	if (id == 0 || !layout->kma_stack.self.present || !pc->present ||
	    pc->size != sizeof(uint64_t) || pc->stride != sizeof(uint64_t) ||
	    pc->offset % sizeof(uint64_t) != 0 || unit == 0 || unit > 4096 ||
	    !read_depot(heap, part))
		return 0;
	uint64_t offset = id * unit;
	if (offset % sizeof(uint64_t) != 0 || offset > part->depot_used ||
	    part->depot_used - offset < layout->kma_stack.self.size)
		return 0;
	entry = view(heap, part->depot_base + offset,
		     layout->kma_stack.self.size);
	if (!entry)
		return 0;
	uint64_t depth = record_uint(entry, &layout->kma_stack.depth);
	uint64_t size = pc->offset + depth * sizeof(uint64_t);
	if (depth == 0 || depth > DEPTH_MAX || part->depot_used - offset < size)
		return 0;
	if (flags)
		*flags = (uint32_t)record_uint(entry, &layout->kma_stack.flags);
	entry = view(heap, part->depot_base + offset, size);
	if (!entry)
		return 0;
	*pcs = (const uint64_t *)(const void *)(entry + pc->offset);
	return (size_t)depth;
}

bool heap_stack_truncated(const struct heap *heap, size_t instance,
			  uint32_t flags)
{
	const struct heap_layout *layout = &heap->parts[instance].layout;

	return flags & layout->constants.KMA_STACK_TRUNCATED.value;
}

bool heap_depot(struct heap *heap, size_t instance, uint64_t *base,
		uint64_t *end)
{
	struct instance *part = &heap->parts[instance];

	if (!read_depot(heap, part))
		return false;
	*base = part->depot_base;
	*end = part->depot_base + part->depot_used;
	return true;
}

bool heap_stacks_kept(struct heap *heap, size_t instance,
		      struct heap_stacks *ret)
{
	struct instance *part = &heap->parts[instance];

	if (!read_depot(heap, part))
		return false;
	*ret = (struct heap_stacks){
		.count = part->depot_count,
		.bytes = part->depot_used > part->depot_table
				 ? part->depot_used - part->depot_table
				 : 0,
		.dropped = part->depot_dropped,
	};
	return true;
}
