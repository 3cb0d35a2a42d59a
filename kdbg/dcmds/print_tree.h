/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An object as rows: one for each member, at every depth. The text of a row is
 * its line; the braces that close are lines of their own.
 */
#ifndef KDBG_DCMDS_PRINT_TREE_H
#define KDBG_DCMDS_PRINT_TREE_H

#include "kdbg/dcmd.h"
#include "kdbg/type_container.h"
#include "kdbg/type_value.h"

enum { PRINT_ROWS_MAX = 1 << 20 };

extern const struct table print_tables[1];

struct print_options {
	bool addresses, types, base_types, holes, decimal, no_symbols;
	bool immediate, all_characters, all_elements, raw;
	bool hexadecimal; /* as without; mdb has it */
	uint64_t depth, characters, elements;
	bool has_depth;
	const char *depth_text;
};

struct print {
	const struct dcmd_call *call;
	struct print_options options;
	struct type_value_options value;
	struct sink *out;
	size_t rows;
	bool cut; /* PRINT_ROWS_MAX was reached */
};

/* What a row says beside the place it is of. */
struct print_label {
	const char *path, *name;
	unsigned depth;
};

/* A row for one place. value is what the line shows, shown what the row says of
 * it. False: no more rows are wanted. */
bool print_row(struct print *print, const struct print_label *label,
	       const struct type_place *place, const char *value,
	       const char *shown);

/* The place and all it holds. */
bool print_place(struct print *print, const struct print_label *label,
		 const struct type_place *place);

/* A line that is no row, such as the brace that ends something at address. */
void print_line(struct print *print, unsigned depth, uint64_t address,
		const char *text);

/* Is it shown as what it holds, and not as its members? */
bool print_is_container(struct print *print, const struct type_place *place,
			struct container *ret);
bool print_container(struct print *print, const struct print_label *label,
		     const struct type_place *place,
		     struct container *container);

/* Each element of a container that is walked. */
typedef bool print_element_fn(struct print *print,
			      const struct print_label *label,
			      const struct type_place *place);
bool print_elements(struct print *print, const struct print_label *label,
		    struct container *container, print_element_fn *each);

#endif
