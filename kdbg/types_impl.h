/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kdbg/types*.c share. */
#ifndef KDBG_TYPES_IMPL_H
#define KDBG_TYPES_IMPL_H

#include "kdbg/arena.h"
#include "kdbg/memo.h"
#include "kdbg/types.h"
#include "kdbg/types_index.h"

enum {
	TYPE_STEPS_MAX = 64, /* of typedefs and qualifiers in a row */
};

struct type_source {
	struct types *types;
	struct type_module *module; /* NULL: not from DWARF */
	Dwarf_Die die;
	bool target_known, members_known, size_known;
	struct type *target;
	struct type_member *members;
	size_t member_count;
	struct type_enumerator *enumerators;
	size_t enumerator_count;
};

struct type_module {
	struct symbols_dwarf facts;
	bool opened;
	struct type_index *index; /* NULL: no DWARF, or not needed yet */
};

/* A type a person declared. */
struct declared_type {
	const char *name;
	enum type_name_kind kind;
	struct type *type;
	struct declared_type *next;
};

struct types {
	struct symbols *symbols;
	struct type_module *modules;
	size_t module_count;
	struct memo made;    /* by the address of the DIE */
	struct memo derived; /* pointers and arrays that were asked for */
	struct arena arena;
	struct declared_type *declared; /* the last first */
	const char **texts; /* what was declared, as it was written */
	size_t text_count;
	const struct c_constant *constants; /* the same */
	struct type nothing, bad;
};

/* The module's index, made now if it has to be; NULL: it has no DWARF. */
struct type_index *types_module_index(struct types *types,
				      struct type_module *module);

/* The module that address lies in; NULL: none. */
struct type_module *types_module_holding(struct types *types, uint64_t address);

/* A type to fill in; &types->bad when memory is out. */
struct type *types_new(struct types *types, enum type_kind kind,
		       const char *name, uint64_t size);

/* By one name, whatever declares it; NULL: none. kind may be NAME_ANY. */
struct type *types_named(struct types *types, const char *name, size_t length,
			 enum type_name_kind kind);

/* int, unsigned long, uint32_t: what C itself names. */
struct type *types_builtin(struct types *types, const char *name,
			   size_t length);

/* How often each of C's words was said: long is said up to twice. */
struct type_words {
	unsigned is_unsigned, is_signed, is_short, is_long, is_int, is_char;
	unsigned is_double, is_float, is_void, is_bool;
};

/* The count of a word; NULL: it is none of C's. */
unsigned *type_word(struct type_words *words, const char *word, size_t length);
/* What they make together: "unsigned long". */
const char *type_words_name(const struct type_words *words);

/* The type of a DIE; die NULL: void. */
struct type *types_of_die(struct types *types, struct type_module *module,
			  Dwarf_Die *die);
/* What kind of type it is, and whether its numbers have a sign. */
enum type_kind types_kind(Dwarf_Die *die, bool *is_signed);
/* Bytes, of what has a size of its own; else 0. */
uint64_t types_own_size(enum type_kind kind, Dwarf_Die *die);
/* A number that die, or what it is an instance of, has as an attribute. */
bool types_number(Dwarf_Die *die, unsigned attribute, uint64_t *ret);
/* The DIE that an attribute of die refers to. */
bool types_reference(Dwarf_Die *die, unsigned attribute, Dwarf_Die *ret);
/* The type that a variable's or member's DIE names. */
struct type *types_type_of(struct types *types, struct type_module *module,
			   Dwarf_Die *die);

/* Read what type->source still has. */
void types_read_members(struct type *type);
void types_read_enumerators(struct type *type);
/* The subranges of an array's DIE, as arrays of arrays. */
void types_read_array(struct type *type);

#endif
