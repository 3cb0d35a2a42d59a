/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The names that a module's DWARF gives to types and variables, and where
 * variables lie: from one walk over its units. Of kdbg/types*.c alone.
 *
 * Of one name in one scope the first definition is kept: a program of a
 * thousand units says most of its types a thousand times. What functions
 * declare inside is looked at only when a question was not answered without.
 */
#ifndef KDBG_TYPES_INDEX_H
#define KDBG_TYPES_INDEX_H

#include "kdbg/types_names.h"

struct type_index;

/* NULL: no memory. */
struct type_index *type_index_create(Dwarf *dwarf);
void type_index_destroy(struct type_index *index);

/* name of length bytes, perhaps qualified; blanks do not count. NULL: none. */
const struct type_name *type_index_find(struct type_index *index,
					const char *name, size_t length,
					enum type_name_kind kind);

/* The variable whose first byte is at or last before address, in addresses of
 * the file; NULL: none. */
const Dwarf_Die *type_index_variable(struct type_index *index, uint64_t address,
				     uint64_t *start);

/* The scope a DIE lies in, "a::b"; false: none, or no room. */
bool type_index_scope(const struct type_index *index, const Dwarf_Die *die,
		      char *buffer, size_t size);

/* All names, in the order they were met. */
size_t type_index_names(const struct type_index *index,
			const struct type_name **ret);

/* The next DIE of the same parent. A file's reference backwards ends the list,
 * for it would never end. */
bool dwarf_next_sibling(Dwarf_Die *die);

#endif
