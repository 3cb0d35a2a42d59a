/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A walk in the order of the file meets DIEs at ever higher addresses. One that
 * does not is a reference backwards, made to keep us busy: its list ends there.
 * So a walk over a unit costs no more than the unit is long.
 */
#include "kdbg/types_index.h"

#include "kdbg/memo.h"
#include "kdbg/vector.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NESTING_MAX = 64,
	SCOPES_MAX = 32,
};

struct type_variable {
	uint64_t address;
	Dwarf_Die die;
};

struct type_index {
	Dwarf *dwarf;
	bool deep; /* functions have been looked into */
	struct type_names names;
	struct memo scopes; /* DIE's address to 1 + its parent's name */
	struct type_variable *variables; /* sorted when sorted_count is all */
	size_t variable_count, sorted_count;
};

struct walk {
	struct type_index *index;
	const void *last; /* highest DIE met in this unit */
	bool cpp;         /* classes hold types */
	bool deep;
	bool inside; /* a function: only what the first walk left out */
};

bool dwarf_next_sibling(Dwarf_Die *die)
{
	const void *here = die->addr;

	return dwarf_siblingof(die, die) == 0 &&
	       (uintptr_t)die->addr > (uintptr_t)here;
}

/* --- the walk ----------------------------------------------------------- */

static bool is_declaration(Dwarf_Die *die)
{
	bool flag;
	Dwarf_Attribute attribute;

	return dwarf_attr(die, DW_AT_declaration, &attribute) &&
	       dwarf_formflag(&attribute, &flag) == 0 && flag;
}

static const char *name_of(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;

	return dwarf_attr_integrate(die, DW_AT_name, &attribute)
		       ? dwarf_formstring(&attribute)
		       : NULL;
}

static uint32_t note_name(struct walk *walk, Dwarf_Die *die, uint32_t parent,
			  enum type_name_kind kind)
{
	const struct type_name name = {
		.name = name_of(die),
		.parent = parent,
		.kind = kind,
		.declaration = is_declaration(die),
		.die = *die,
	};

	if (parent != NO_NAME &&
	    !memo_get(&walk->index->scopes, (uintptr_t)die->addr))
		memo_put(&walk->index->scopes, (uintptr_t)die->addr,
			 (const void *)((uintptr_t)parent + 1));
	return name.name ? type_names_add(&walk->index->names, &name) : parent;
}

/* The address that a location of one operation is. */
static bool address_of(Dwarf_Attribute *location, const Dwarf_Op *op,
		       uint64_t *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Addr address;

	if (op->atom == DW_OP_addr) {
		*ret = op->number;
		return true;
	}
	if (op->atom != DW_OP_addrx && op->atom != DW_OP_GNU_addr_index)
		return false;
	/* Where the debug information is split off, a table has it. */
	if (dwarf_getlocation_attr(location, op, &attribute) != 0 ||
	    dwarf_formaddr(&attribute, &address) != 0)
		return false;
	*ret = address;
	return true;
}

static void note_variable(struct walk *walk, Dwarf_Die *die, uint32_t parent)
{
	struct type_index *index = walk->index;
	Dwarf_Attribute attribute;
	Dwarf_Op *ops;
	uint64_t address;
	size_t count;

	if (!walk->inside)
		note_name(walk, die, parent, NAME_VARIABLE);
	if (!dwarf_attr(die, DW_AT_location, &attribute) ||
	    dwarf_getlocation(&attribute, &ops, &count) != 0 || count != 1 ||
	    !address_of(&attribute, ops, &address))
		return;
	struct type_variable *variables = vector_grow(
		index->variables, index->variable_count, sizeof(*variables));
	if (!variables)
		return;
	index->variables = variables;
	variables[index->variable_count++] =
		(struct type_variable){ address, *die };
}

static void walk_children(struct walk *walk, Dwarf_Die *of, uint32_t parent,
			  unsigned depth);

static void walk_function(struct walk *walk, Dwarf_Die *die, uint32_t parent,
			  unsigned depth)
{
	bool inside = walk->inside;

	walk->inside = true;
	walk_children(walk, die, parent, depth);
	walk->inside = inside;
}

static void walk_die(struct walk *walk, Dwarf_Die *die, uint32_t parent,
		     unsigned depth)
{
	bool wanted = walk->inside || !walk->deep;
	enum type_name_kind kind = NAME_STRUCT;

	switch (dwarf_tag(die)) {
	case DW_TAG_namespace:
	case DW_TAG_module:
		if (dwarf_diename(die))
			parent = note_name(walk, die, parent, NAME_SCOPE);
		walk_children(walk, die, parent, depth);
		return;
	case DW_TAG_union_type:
		kind = NAME_UNION;
		/* fall through */
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
		if (wanted)
			parent = note_name(walk, die, parent, kind);
		if (walk->cpp)
			walk_children(walk, die, parent, depth);
		return;
	case DW_TAG_enumeration_type:
		if (wanted)
			note_name(walk, die, parent, NAME_ENUM);
		return;
	case DW_TAG_typedef:
	case DW_TAG_base_type:
		if (wanted)
			note_name(walk, die, parent, NAME_ORDINARY);
		return;
	case DW_TAG_variable:
		if (wanted)
			note_variable(walk, die, parent);
		return;
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
		if (walk->deep)
			walk_function(walk, die, parent, depth);
		return;
	default:
		return;
	}
}

static void walk_children(struct walk *walk, Dwarf_Die *of, uint32_t parent,
			  unsigned depth)
{
	Dwarf_Die die;

	if (depth == NESTING_MAX || dwarf_child(of, &die) != 0)
		return;
	do {
		if ((uintptr_t)die.addr <= (uintptr_t)walk->last)
			return;
		walk->last = die.addr;
		walk_die(walk, &die, parent, depth + 1);
	} while (dwarf_next_sibling(&die));
}

static bool is_cpp(Dwarf_Die *unit)
{
	switch (dwarf_srclang(unit)) {
	case DW_LANG_C:
	case DW_LANG_C89:
	case DW_LANG_C99:
	case DW_LANG_C11:
		return false;
	default:
		return true;
	}
}

static void walk_units(struct type_index *index, Dwarf *dwarf, bool deep)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die, inner;
	uint8_t kind;

	while (dwarf_get_units(dwarf, unit, &unit, NULL, &kind, &die, &inner) ==
	       0) {
		struct walk walk = { .index = index, .deep = deep };
		/* Of a skeleton the unit that was split off; of a type's unit
		 * it would be the type alone. */
		Dwarf_Die *top =
			kind == DW_UT_skeleton && inner.addr ? &inner : &die;

		if (!top->addr)
			continue;
		walk.cpp = is_cpp(top);
		walk_children(&walk, top, NO_NAME, 0);
	}
	Dwarf *alternate = dwarf_getalt(dwarf);
	if (alternate && alternate != dwarf && dwarf == index->dwarf)
		walk_units(index, alternate, deep);
}

static void look_into_functions(struct type_index *index)
{
	if (index->deep)
		return;
	index->deep = true;
	walk_units(index, index->dwarf, true);
}

struct type_index *type_index_create(Dwarf *dwarf)
{
	struct type_index *index = calloc(1, sizeof(*index));

	if (!index)
		return NULL;
	index->dwarf = dwarf;
	if (!type_names_init(&index->names)) {
		free(index);
		return NULL;
	}
	walk_units(index, dwarf, false);
	return index;
}

void type_index_destroy(struct type_index *index)
{
	if (!index)
		return;
	memo_deinit(&index->scopes);
	type_names_deinit(&index->names);
	free(index->variables);
	free(index);
}

size_t type_index_names(const struct type_index *index,
			const struct type_name **ret)
{
	*ret = index->names.items;
	return index->names.count;
}

const struct type_name *type_index_find(struct type_index *index,
					const char *name, size_t length,
					enum type_name_kind kind)
{
	const struct type_name *found =
		type_names_find(&index->names, name, length, kind);

	if (found || index->deep)
		return found;
	look_into_functions(index);
	return type_names_find(&index->names, name, length, kind);
}

static int compare_variables(const void *a, const void *b)
{
	const struct type_variable *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

const Dwarf_Die *type_index_variable(struct type_index *index, uint64_t address,
				     uint64_t *start)
{
	size_t low = 0, high;

	look_into_functions(index);
	if (index->sorted_count != index->variable_count)
		qsort(index->variables, index->variable_count,
		      sizeof(*index->variables), compare_variables);
	high = index->sorted_count = index->variable_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->variables[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	*start = index->variables[low - 1].address;
	return &index->variables[low - 1].die;
}

bool type_index_scope(const struct type_index *index, const Dwarf_Die *die,
		      char *buffer, size_t size)
{
	uintptr_t known =
		(uintptr_t)memo_get(&index->scopes, (uintptr_t)die->addr);
	const struct type_name *chain[SCOPES_MAX];
	size_t count = 0, used = 0;

	for (uint32_t i = (uint32_t)(known - 1);
	     known && i != NO_NAME && count < SCOPES_MAX;
	     i = index->names.items[i].parent)
		chain[count++] = &index->names.items[i];
	for (size_t i = count; i-- > 0;) {
		int length = snprintf(buffer + used, size - used, "%s%s",
				      used ? "::" : "", chain[i]->name);

		if (length < 0 || used + (size_t)length >= size)
			return false;
		used += (size_t)length;
	}
	return used > 0;
}
