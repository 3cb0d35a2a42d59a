/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cursor over bytes that nobody has vouched for.
 *
 * Every read is checked. The first failure sticks: later reads return zero and
 * move nothing, so a parser reads a whole record, then asks once. Counts and
 * ranges go through cursor_count() and cursor_slice(), which bound them by the
 * bytes that are there; no number from a file ever sizes an allocation or a
 * loop on its own. As a value may be the zero of a failed read, ask before
 * dividing by one or acting on one.
 */
#ifndef DUMPFMT_CURSOR_H
#define DUMPFMT_CURSOR_H

#include "dumpfmt/err.h"

#include <stddef.h>
#include <stdint.h>

struct cursor {
	const unsigned char *data;
	size_t size;
	size_t pos;
	const char *region;    /* what these bytes are, for messages */
	uint64_t origin;       /* where they begin, for messages */
	const char *bad_field; /* NULL until something failed */
	const char *bad_reason;
	size_t bad_pos;
};

void cursor_init(struct cursor *c, const void *data, size_t size,
		 const char *region);

uint32_t cursor_u32(struct cursor *c, const char *field);
uint64_t cursor_u64(struct cursor *c, const char *field);

/* Copy a NUL-terminated name out of a fixed-size field. */
void cursor_name(struct cursor *c, char *name, size_t size, const char *field);

/* A text with its length before it and a zero byte after it, in place; "" when
 * the read failed. */
const char *cursor_text(struct cursor *c, const char *field);

/* The next size bytes, in place; NULL when they are not there. */
const void *cursor_bytes(struct cursor *c, uint64_t size, const char *field);

/* Read a count of elements that must all fit in what is left. */
uint32_t cursor_count(struct cursor *c, size_t element_size, const char *field);

/* A cursor over part of c, which fails if the part is not all there. */
struct cursor cursor_slice(struct cursor *c, uint64_t offset, uint64_t size,
			   const char *region);

/* Fail with a reason of the caller's: the bytes are there, their value is
 * wrong. */
void cursor_reject(struct cursor *c, const char *field, const char *reason);

/* NULL if every read so far was good, else what failed first and where. */
struct err *cursor_error(const struct cursor *c) MUST_USE;

#endif
