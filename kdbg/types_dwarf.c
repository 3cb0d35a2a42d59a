/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a DIE to a type, one step at a time: what it points to, its members and
 * enumerators are read when asked for, so that a structure of the kernel's
 * size costs what is looked at of it.
 *
 * Bitfields come in two forms. DW_AT_data_bit_offset counts from the
 * structure's first bit; the older DW_AT_bit_offset counts from the most
 * significant bit of a storage unit. Both become "this many bits from bit N of
 * the byte at offset", which is right for little-endian targets, the only ones
 * there are.
 */
#include "kdbg/types_impl.h"
#include "kdbg/vector.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_SIZE = 4096,      /* of a qualified name */
	DIMENSIONS_MAX = 32,   /* of one array */
	MEMBERS_MAX = 1 << 20, /* of one type */
};

static bool flag_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	bool flag;

	return dwarf_attr(die, name, &attribute) &&
	       dwarf_formflag(&attribute, &flag) == 0 && flag;
}

static bool is_cpp(Dwarf_Die *die)
{
	Dwarf_Die unit;

	if (!dwarf_diecu(die, &unit, NULL, NULL))
		return false;
	switch (dwarf_srclang(&unit)) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case DW_LANG_Rust:
		return true;
	default:
		return false;
	}
}

static const char *qualified_name(struct types *types,
				  struct type_module *module, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *name = NULL;
	char scope[NAME_SIZE];

	if (dwarf_attr_integrate(die, DW_AT_name, &attribute))
		name = dwarf_formstring(&attribute);
	struct type_index *index =
		name ? types_module_index(types, module) : NULL;
	if (!index || !type_index_scope(index, die, scope, sizeof(scope)))
		return name;
	const char *full = arena_print(&types->arena, "%s::%s", scope, name);
	return full ? full : name;
}

struct type *types_of_die(struct types *types, struct type_module *module,
			  Dwarf_Die *die)
{
	Dwarf_Die unit;

	if (!die)
		return &types->nothing;
	if (types_reference(die, DW_AT_signature, &unit))
		die = &unit; /* it is in a unit of its own */
	struct type *known =
		(struct type *)memo_get(&types->made, (uintptr_t)die->addr);
	if (known)
		return known;

	bool is_signed = false;
	enum type_kind kind = types_kind(die, &is_signed);
	struct type *type = types_new(types, kind, NULL, 0);
	if (type == &types->bad)
		return type;
	memo_put(&types->made, (uintptr_t)die->addr, type);
	type->source->module = module;
	type->source->die = *die;
	type->name = qualified_name(types, module, die);
	type->is_signed = is_signed;
	type->declaration = flag_of(die, DW_AT_declaration);
	type->cpp = is_cpp(die);
	type->size = types_own_size(kind, die);
	if (kind == TYPE_ARRAY)
		types_read_array(type);
	return type;
}

struct type *types_type_of(struct types *types, struct type_module *module,
			   Dwarf_Die *die)
{
	Dwarf_Die target;

	return types_of_die(types, module,
			    types_reference(die, DW_AT_type, &target) ? &target
								      : NULL);
}

/* --- arrays ------------------------------------------------------------- */

struct dimension {
	uint64_t count;
	bool flexible;
};

static struct dimension dimension_of(Dwarf_Die *die)
{
	uint64_t value;

	if (types_number(die, DW_AT_count, &value))
		return (struct dimension){ value, false };
	if (types_number(die, DW_AT_upper_bound, &value)) {
		uint64_t lower = 0;

		types_number(die, DW_AT_lower_bound, &lower);
		return (struct dimension){ value - lower + 1, false };
	}
	return (struct dimension){ 0, true };
}

/* int [2][3] is one DIE with two subranges: here, an array of arrays. */
void types_read_array(struct type *type)
{
	struct type_source *source = type->source;
	struct types *types = source->types;
	struct dimension dimensions[DIMENSIONS_MAX];
	size_t count = 0;
	Dwarf_Die child;

	if (dwarf_child(&source->die, &child) == 0)
		do {
			int tag = dwarf_tag(&child);

			if (tag == DW_TAG_subrange_type ||
			    tag == DW_TAG_enumeration_type)
				dimensions[count++] = dimension_of(&child);
		} while (count < DIMENSIONS_MAX && dwarf_next_sibling(&child));
	if (!count)
		dimensions[count++] = (struct dimension){ 0, true };

	struct type *element =
		types_type_of(types, source->module, &source->die);
	while (count-- > 1)
		element =
			type_array_of(types, element, dimensions[count].count);
	type->count = dimensions[0].count;
	type->flexible = dimensions[0].flexible;
	source->target = element;
	source->target_known = true;
}

/* --- members ------------------------------------------------------------ */

/*
 * Where a virtual base lies is in the vtable: the expression is
 * dup, deref, constu N, minus, deref, plus. Only this is understood.
 */
static bool read_virtual_base(Dwarf_Attribute *attribute,
			      struct type_member *member)
{
	Dwarf_Op *ops;
	size_t count;

	if (dwarf_getlocation(attribute, &ops, &count) != 0)
		return false;
	if (count == 1 && ops[0].atom == DW_OP_plus_uconst) {
		member->offset = ops[0].number; /* DWARF 2 */
		return true;
	}
	if (count < 6 || ops[0].atom != DW_OP_dup ||
	    ops[1].atom != DW_OP_deref || ops[3].atom != DW_OP_minus)
		return false;
	member->virtual_base = true;
	member->vbase_slot =
		ops[2].atom >= DW_OP_lit0 && ops[2].atom <= DW_OP_lit31
			? (uint64_t)(ops[2].atom - DW_OP_lit0)
			: ops[2].number;
	return true;
}

static bool read_location(Dwarf_Die *die, struct type_member *member)
{
	Dwarf_Attribute attribute;
	Dwarf_Word offset;

	if (!dwarf_attr(die, DW_AT_data_member_location, &attribute))
		return true; /* of a union, or told in bits */
	if (dwarf_formudata(&attribute, &offset) == 0) {
		member->offset = offset;
		return true;
	}
	return read_virtual_base(&attribute, member);
}

static void set_bits(struct type_member *member, uint64_t bit, uint64_t size)
{
	member->offset += bit / 8;
	member->bit_offset = (unsigned)(bit % 8);
	member->bit_size = size > 64 ? 64 : (unsigned)size;
}

static void read_bits(Dwarf_Die *die, struct type_member *member)
{
	uint64_t size, offset, unit = 0;

	if (!types_number(die, DW_AT_bit_size, &size) || !size)
		return;
	if (types_number(die, DW_AT_data_bit_offset, &offset)) {
		set_bits(member, offset, size);
		return;
	}
	if (!types_number(die, DW_AT_byte_size, &unit))
		type_size(member->type, &unit);
	if (!types_number(die, DW_AT_bit_offset, &offset))
		offset = unit <= 8 ? unit * 8 - size : 0;
	if (unit <= 16 && offset + size <= unit * 8)
		set_bits(member, unit * 8 - offset - size, size);
	else
		set_bits(member, 0, size);
}

static bool is_member(Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_inheritance:
	case DW_TAG_formal_parameter:
		return true;
	case DW_TAG_member: /* not one that all objects share */
		return !flag_of(die, DW_AT_external) &&
		       !flag_of(die, DW_AT_declaration);
	default:
		return false;
	}
}

static struct type_member read_member(struct type *type, Dwarf_Die *die)
{
	struct type_source *source = type->source;
	struct type_member member = {
		.name = dwarf_diename(die),
		.type = types_type_of(source->types, source->module, die),
		.base = dwarf_tag(die) == DW_TAG_inheritance,
	};

	if (member.name && !*member.name)
		member.name = NULL;
	if (!read_location(die, &member))
		member.type = &source->types->bad;
	read_bits(die, &member);
	return member;
}

void types_read_members(struct type *type)
{
	struct type_source *source = type->source;
	struct type_member *members = NULL;
	size_t count = 0;
	Dwarf_Die child;

	if (!source->module || dwarf_child(&source->die, &child) != 0)
		return;
	do {
		if (!is_member(&child))
			continue;
		struct type_member *more =
			vector_grow(members, count, sizeof(*members));
		if (!more)
			break;
		members = more;
		members[count++] = read_member(type, &child);
	} while (count < MEMBERS_MAX && dwarf_next_sibling(&child));

	source->members =
		arena_array(&source->types->arena, count, sizeof(*members));
	if (source->members && count) {
		memcpy(source->members, members, count * sizeof(*members));
		source->member_count = count;
	}
	free(members);
}

struct type *type_argument(struct type *type, unsigned n)
{
	struct type_source *source = type->source;
	Dwarf_Die child;

	if (!source || !source->module ||
	    dwarf_child(&source->die, &child) != 0)
		return NULL;
	do
		if (dwarf_tag(&child) == DW_TAG_template_type_parameter &&
		    n-- == 0)
			return types_type_of(source->types, source->module,
					     &child);
	while (dwarf_next_sibling(&child));
	return NULL;
}

/* --- enumerators -------------------------------------------------------- */

static bool read_enumerator(Dwarf_Die *die, struct type_enumerator *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Word word = 0;
	Dwarf_Sword sword = 0;

	ret->name = dwarf_diename(die);
	if (dwarf_tag(die) != DW_TAG_enumerator || !ret->name ||
	    !dwarf_attr(die, DW_AT_const_value, &attribute))
		return false;
	if (dwarf_whatform(&attribute) == DW_FORM_sdata ||
	    dwarf_whatform(&attribute) == DW_FORM_implicit_const) {
		dwarf_formsdata(&attribute, &sword);
		ret->value = sword;
	} else {
		dwarf_formudata(&attribute, &word);
		ret->value = (int64_t)word;
	}
	return true;
}

void types_read_enumerators(struct type *type)
{
	struct type_source *source = type->source;
	struct type_enumerator *list = NULL, enumerator;
	size_t count = 0;
	Dwarf_Die child;

	if (!source->module || dwarf_child(&source->die, &child) != 0)
		return;
	do {
		if (!read_enumerator(&child, &enumerator))
			continue;
		struct type_enumerator *more =
			vector_grow(list, count, sizeof(*list));
		if (!more)
			break;
		list = more;
		list[count++] = enumerator;
	} while (count < MEMBERS_MAX && dwarf_next_sibling(&child));

	source->enumerators =
		arena_array(&source->types->arena, count, sizeof(*list));
	if (source->enumerators && count) {
		memcpy(source->enumerators, list, count * sizeof(*list));
		source->enumerator_count = count;
	}
	free(list);
}
