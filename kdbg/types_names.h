/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The names of one module's types, scopes and variables, by hash of their last
 * part; the scopes around it are names as well. Blanks do not count.
 */
#ifndef KDBG_TYPES_NAMES_H
#define KDBG_TYPES_NAMES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum type_name_kind {
	NAME_ORDINARY, /* typedefs and base types */
	NAME_STRUCT,   /* and class */
	NAME_UNION,
	NAME_ENUM,
	NAME_SCOPE, /* namespaces */
	NAME_VARIABLE,
	NAME_ANY, /* to ask for: any type */
};

enum { NO_NAME = UINT32_MAX };

struct type_name {
	const char *name; /* the last part of it */
	uint32_t parent;  /* namespace or class, or NO_NAME */
	uint32_t next;    /* of the same hash */
	enum type_name_kind kind;
	bool declaration;
	Dwarf_Die die;
};

struct type_names {
	struct type_name *items; /* in the order they were met */
	uint32_t count;
	uint32_t *buckets; /* into items; NO_NAME: empty */
	size_t bucket_count;
};

/* False: no memory. */
bool type_names_init(struct type_names *names);
void type_names_deinit(struct type_names *names);

/* Add a name, or find the one that stands for it. NO_NAME: no memory. */
uint32_t type_names_add(struct type_names *names, const struct type_name *add);

/* The name of length bytes, scopes before it or not; NULL: none. */
const struct type_name *type_names_find(const struct type_names *names,
					const char *name, size_t length,
					enum type_name_kind kind);

#endif
