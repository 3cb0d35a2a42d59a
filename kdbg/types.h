/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The program's types: from the DWARF of its modules, and those a person
 * declared (::typedef).
 *
 *	name ----> type_index, one per module, made at the first question
 *	DIE -----> struct type, made when first reached and kept
 *	type ----> members, enumerators, target: read when first asked for
 *
 * Types form a graph that a hostile file may tie into any knot: a typedef of
 * itself, an array of itself, a structure inside itself. So every function here
 * takes a bounded number of steps, and who walks members bounds his own depth.
 * Nothing returns NULL for a type: what cannot be known is void, and what
 * cannot be believed is a type of no size called "<bad type>".
 *
 * Types and their strings live as long as struct types.
 */
#ifndef KDBG_TYPES_H
#define KDBG_TYPES_H

#include "dumpfmt/err.h"
#include "kdbg/symbols.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum type_kind {
	TYPE_VOID,
	TYPE_INTEGER,
	TYPE_CHARACTER, /* plain char: shown as text */
	TYPE_BOOLEAN,
	TYPE_REAL,
	TYPE_COMPLEX,
	TYPE_OPAQUE, /* bytes that are not looked into: decimals, nullptr_t */
	TYPE_POINTER,
	TYPE_REFERENCE,      /* C++ &, && */
	TYPE_MEMBER_POINTER, /* C++ T C::* */
	TYPE_FUNCTION,
	TYPE_ARRAY,
	TYPE_STRUCT,
	TYPE_CLASS,
	TYPE_UNION,
	TYPE_ENUM,
	TYPE_TYPEDEF,
	TYPE_CONST,
	TYPE_VOLATILE,
	TYPE_QUALIFIED, /* restrict, _Atomic: as if it were not there */
};

struct type_source; /* of types*.c: what is still to be read */

struct type {
	enum type_kind kind;
	bool is_signed;
	bool declaration; /* opaque here; type_peel() finds the definition */
	bool cpp;         /* named as C++ does, without "struct" */
	bool flexible;    /* an array without a count */
	const char *name; /* qualified, without "struct"; NULL: it has none */
	uint64_t size;    /* in bytes; of what has one of its own */
	uint64_t count;   /* elements of an array */
	struct type_source *source;
};

struct type_member {
	const char *name; /* NULL: anonymous */
	struct type *type;
	uint64_t offset;     /* of the first byte that holds any of it */
	unsigned bit_offset; /* from there, 0 to 7 */
	unsigned bit_size;   /* 0: no bitfield */
	bool base;           /* a C++ base class */
	bool virtual_base;   /* where it lies, the object's vtable says */
	uint64_t vbase_slot; /* ... this far before the vtable's address */
};

struct type_enumerator {
	const char *name;
	int64_t value;
};

struct types;

struct err *types_create(struct symbols *symbols, struct types **ret) MUST_USE;
void types_destroy(struct types *types);

/*
 * The type that text begins with: "struct foo", "foo_t *", "unsigned long",
 * "ns::list<int>", "char [16]"; *end is behind it and the blanks that follow.
 * The error says what is missing where modules have no debug information.
 */
struct err *types_find(struct types *types, const char *text, const char **end,
		       struct type **ret) MUST_USE;

/* The variable that address lies in: its type, and how far in. False: none is
 * known there. */
bool types_variable_at(struct types *types, uint64_t address, struct type **ret,
		       uint64_t *offset);

/* By name, for what has no address of its own: a thread-local variable. */
bool types_variable_named(struct types *types, const char *name,
			  struct type **ret);

/* Prefix completion: call each name ("struct foo", "foo_t") once. */
void types_complete(struct types *types, const char *prefix,
		    void (*found)(void *context, const char *name),
		    void *context);

/* Without typedefs and qualifiers, and defined if that is to be had. */
struct type *type_peel(struct type *type);

/* What is pointed to, aliased, returned, or an array's element. */
struct type *type_target(struct type *type);

/* Bytes of an object; false: it has no size, or one that cannot be. */
bool type_size(struct type *type, uint64_t *ret);

/* Of a structure or union, as declared: bases first. Of a function: its
 * parameters. */
size_t type_members(struct type *type, const struct type_member **ret);
size_t type_enumerators(struct type *type, const struct type_enumerator **ret);

/* The n-th type that a template was made with; NULL: it has not so many. */
struct type *type_argument(struct type *type, unsigned n);

bool type_is_aggregate(const struct type *type); /* struct, class, union */
bool type_is_scalar(const struct type *type);    /* peeled: has a value */

/* As C and C++ write it: "char *[4]", "int (*)(void)". Always terminated. */
void type_format(struct type *type, char *buffer, size_t size);

/* A pointer to, an array of: of count elements. */
struct type *type_pointer_to(struct types *types, struct type *type);
struct type *type_array_of(struct types *types, struct type *type,
			   uint64_t count);
/* An array without a count, as at the end of a structure. */
struct type *type_flexible_array_of(struct types *types, struct type *type);

#endif
