/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kind of type a DIE stands for, by its tag and encoding. */
#include "kdbg/types_impl.h"

#include <dwarf.h>
#include <string.h>

bool types_number(Dwarf_Die *die, unsigned name, uint64_t *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (!dwarf_attr_integrate(die, name, &attribute) ||
	    dwarf_formudata(&attribute, &value) != 0)
		return false;
	*ret = value;
	return true;
}

bool types_reference(Dwarf_Die *die, unsigned name, Dwarf_Die *ret)
{
	Dwarf_Attribute attribute;

	return dwarf_attr_integrate(die, name, &attribute) &&
	       dwarf_formref_die(&attribute, ret);
}

static enum type_kind kind_of_base(Dwarf_Die *die, bool *is_signed)
{
	const char *name = dwarf_diename(die);
	uint64_t encoding = 0;

	types_number(die, DW_AT_encoding, &encoding);
	switch (encoding) {
	case DW_ATE_signed_char:
		*is_signed = true;
		/* fall through */
	case DW_ATE_unsigned_char:
		return name && strcmp(name, "char") == 0 ? TYPE_CHARACTER
							 : TYPE_INTEGER;
	case DW_ATE_signed:
		*is_signed = true;
		return TYPE_INTEGER;
	case DW_ATE_unsigned:
	case DW_ATE_UTF:
	case DW_ATE_address:
		return TYPE_INTEGER;
	case DW_ATE_boolean:
		return TYPE_BOOLEAN;
	case DW_ATE_float:
		return TYPE_REAL;
	case DW_ATE_complex_float:
		return TYPE_COMPLEX;
	default: /* GNU C's complex integers, and what nobody looks into */
		return name && strncmp(name, "complex ", 8) == 0 ? TYPE_COMPLEX
								 : TYPE_OPAQUE;
	}
}

/* An enumeration has a sign if its type says so, or an enumerator is written
 * with one. */
static bool enum_is_signed(Dwarf_Die *die)
{
	Dwarf_Die base, child;
	bool is_signed = false;

	if (types_reference(die, DW_AT_type, &base) &&
	    dwarf_tag(&base) == DW_TAG_base_type) {
		kind_of_base(&base, &is_signed);
		return is_signed;
	}
	if (dwarf_child(die, &child) != 0)
		return false;
	do {
		Dwarf_Attribute attribute;
		Dwarf_Sword value;

		if (dwarf_attr(&child, DW_AT_const_value, &attribute) &&
		    dwarf_whatform(&attribute) == DW_FORM_sdata &&
		    dwarf_formsdata(&attribute, &value) == 0 && value < 0)
			return true;
	} while (dwarf_next_sibling(&child));
	return false;
}

enum type_kind types_kind(Dwarf_Die *die, bool *is_signed)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_base_type:
		return kind_of_base(die, is_signed);
	case DW_TAG_pointer_type:
		return TYPE_POINTER;
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		return TYPE_REFERENCE;
	case DW_TAG_ptr_to_member_type:
		return TYPE_MEMBER_POINTER;
	case DW_TAG_subroutine_type:
	case DW_TAG_subprogram:
		return TYPE_FUNCTION;
	case DW_TAG_array_type:
		return TYPE_ARRAY;
	case DW_TAG_structure_type:
		return TYPE_STRUCT;
	case DW_TAG_class_type:
		return TYPE_CLASS;
	case DW_TAG_union_type:
		return TYPE_UNION;
	case DW_TAG_enumeration_type:
		*is_signed = enum_is_signed(die);
		return TYPE_ENUM;
	case DW_TAG_typedef:
		return TYPE_TYPEDEF;
	case DW_TAG_const_type:
		return TYPE_CONST;
	case DW_TAG_volatile_type:
		return TYPE_VOLATILE;
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
	case DW_TAG_immutable_type:
	case DW_TAG_packed_type:
	case DW_TAG_shared_type:
		return TYPE_QUALIFIED;
	default:
		return TYPE_OPAQUE; /* nullptr_t among them */
	}
}

uint64_t types_own_size(enum type_kind kind, Dwarf_Die *die)
{
	uint64_t size = 0;
	Dwarf_Die to;

	if (types_number(die, DW_AT_byte_size, &size))
		return size;
	switch (kind) {
	case TYPE_MEMBER_POINTER: /* a function's has what to add to this */
		if (types_reference(die, DW_AT_type, &to) &&
		    dwarf_tag(&to) == DW_TAG_subroutine_type)
			return 2 * sizeof(uint64_t);
		return sizeof(uint64_t);
	case TYPE_POINTER:
	case TYPE_REFERENCE:
		return sizeof(uint64_t);
	default:
		return 0;
	}
}
