/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The schema that a target brings along: where the fields of the allocator's
 * structures are, in the version of libkma that made it.
 *
 * It is read from the target's memory and is as untrusted as anything there:
 * schema_read() refuses a table with a record that could lead a reader out of
 * the structure it describes, so a field that is found may be used as it is.
 */
#ifndef KDBG_SCHEMA_H
#define KDBG_SCHEMA_H

#include "dumpfmt/layout.h"
#include "kdbg/target.h"

#include <stdbool.h>
#include <stdint.h>

/* Larger than any structure of ours, and small enough to be copied. */
enum { SCHEMA_STRUCT_MAX = 1 << 20 };

struct schema;

struct field {
	uint32_t offset;
	uint32_t size;     /* of one element, or of the structure itself */
	uint32_t count;    /* elements; 0 for a flexible array */
	uint32_t stride;   /* bytes between elements; 0 for a scalar */
	uint32_t revision; /* of a structure */
	bool present;      /* false: this target does not describe it */
};

/* Read and check the head at root, without which nothing else is known. */
struct err *schema_read_head(struct target *target, uint64_t root,
			     struct kma_root_head *ret) MUST_USE;

struct err *schema_read(struct target *target, const struct kma_root_head *head,
			struct schema **ret) MUST_USE;
void schema_destroy(struct schema *schema);

/*
 * A structure (name ""), a field, or a constant (owner ""). A record that is
 * missing is no error: ret->present tells. One of another kind is.
 */
struct err *schema_find(const struct schema *schema, const char *owner,
			const char *name, enum kma_schema_kind kind,
			struct field *ret) MUST_USE;
bool schema_constant(const struct schema *schema, const char *name,
		     uint64_t *ret);

#endif
