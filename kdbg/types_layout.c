/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/types_layout.h"

enum { NESTING_MAX = 32, STEPS_MAX = 10000, ALIGNMENT_MAX = 16 };

#define BITS_MAX (UINT64_C(1) << 60) /* of a structure: sums cannot wrap */

/* steps are what is left of them: a debug file may nest without end. */
static uint64_t alignment_within(struct type *type, unsigned depth,
				 unsigned *steps)
{
	const struct type_member *members;
	uint64_t most = 1;

	type = type_peel(type);
	if (depth == NESTING_MAX || !*steps)
		return 1;
	--*steps;
	if (type->kind == TYPE_ARRAY)
		return alignment_within(type_target(type), depth + 1, steps);
	if (!type_is_aggregate(type)) {
		uint64_t size = type->size;

		if (type->kind == TYPE_COMPLEX)
			size /= 2;
		if (!size || (size & (size - 1)))
			return 1;
		return size < ALIGNMENT_MAX ? size : ALIGNMENT_MAX;
	}
	size_t count = type_members(type, &members);
	for (size_t i = 0; i < count; i++) {
		uint64_t own =
			alignment_within(members[i].type, depth + 1, steps);

		/* Where it lies off its alignment the structure is packed. */
		if (members[i].offset % own || type->size % own)
			own = 1;
		if (own > most)
			most = own;
	}
	return most;
}

uint64_t type_alignment(struct type *type)
{
	unsigned steps = STEPS_MAX;

	return alignment_within(type, 0, &steps);
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
	return unit ? (value + unit - 1) / unit * unit : value;
}

static bool place_bits(struct layout *layout, struct type_member *member,
		       uint64_t width, uint64_t unit)
{
	uint64_t start = layout->is_union ? 0 : layout->bits;

	if (width > unit || !unit)
		return false;
	if (!width)
		start = round_up(start, unit);
	else if (!layout->packed && start % unit + width > unit)
		start = round_up(start, unit);
	member->offset = start / 8;
	member->bit_offset = (unsigned)(start % 8);
	member->bit_size = (unsigned)width;
	if (start + width > layout->bits)
		layout->bits = start + width;
	if (member->name && !layout->packed && unit / 8 > layout->alignment)
		layout->alignment = unit / 8;
	return true;
}

bool layout_place(struct layout *layout, struct type_member *member,
		  bool is_bitfield, uint64_t width)
{
	struct type *type = type_peel(member->type);
	uint64_t alignment = layout->packed ? 1 : type_alignment(type);
	uint64_t size = 0;

	/* A flexible array has no size of its own. */
	if (!type_size(type, &size) &&
	    !(type->kind == TYPE_ARRAY && !type->count))
		return false;
	if (size > BITS_MAX / 8 || layout->bits > BITS_MAX)
		return false;
	if (is_bitfield)
		return place_bits(layout, member, width, size * 8);
	uint64_t start =
		layout->is_union ? 0 : round_up(layout->bits, alignment * 8);
	member->offset = start / 8;
	if (start + size * 8 > layout->bits)
		layout->bits = start + size * 8;
	if (alignment > layout->alignment)
		layout->alignment = alignment;
	return true;
}

uint64_t layout_size(const struct layout *layout)
{
	return round_up(layout->bits, layout->alignment * 8) / 8;
}
