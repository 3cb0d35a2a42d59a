/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the members of a structure lie that a person declared, by the rules of
 * the System V ABI: each at a multiple of its alignment, a bitfield within one
 * unit of its type. Of kdbg/types*.c alone.
 */
#ifndef KDBG_TYPES_LAYOUT_H
#define KDBG_TYPES_LAYOUT_H

#include "kdbg/types.h"

struct layout {
	bool is_union, packed;
	uint64_t bits;      /* used so far; of a union, by the largest */
	uint64_t alignment; /* in bytes, of the whole; set to 1 */
};

uint64_t type_alignment(struct type *type);

/* Place the member, whose type, and bit_size if it has one, are known. width
 * 0 with is_bitfield: "int : 0". False: it has no size, or too much. */
bool layout_place(struct layout *layout, struct type_member *member,
		  bool is_bitfield, uint64_t width);

/* Bytes of the whole. */
uint64_t layout_size(const struct layout *layout);

#endif
