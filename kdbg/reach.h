/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reachability: which buffers can the program still get at?
 *
 * Marking is conservative: every aligned word of every root, and of every
 * buffer that a root leads to, is taken for a pointer if it points at a live
 * buffer. A pointer to the first of a buffer's bytes is a plain reference; one
 * to any other byte, or to the one past the last, is an inner reference, unless
 * the buffer shows that this is how it is held: see scan_by_design(). What
 * plain references lead to is reachable; what needs an inner reference on
 * every path is possible, and so is what only a packed or a tagged pointer
 * leads to; the rest of the live buffers is leaked.
 *
 * Buffers are known by number: heap_slab.first_buffer + index.
 */
#ifndef KDBG_REACH_H
#define KDBG_REACH_H

#include "dumpfmt/err.h"
#include "kdbg/pointer_forms.h"
#include "kdbg/roots.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scan;
struct session;
struct reach;

enum reach_class {
	REACH_NOT_LIVE, /* the program does not have it */
	REACH_LEAKED,
	REACH_POSSIBLE, /* only by an inner, packed or tagged one */
	REACH_PLAIN,
};

struct reach_totals {
	uint64_t buffers; /* live */
	uint64_t bytes;   /* of them, asked for where that is known */
	uint64_t plain, possible, leaked;
	uint64_t words;      /* looked at, in roots and buffers */
	uint64_t references; /* of them pointing at a live buffer */
	uint64_t unread;     /* bytes of live buffers that are not there */
};

struct reach_options {
	struct pointer_forms forms;
	unsigned without; /* kinds of roots that do not count, a bit each */
};

/* Finds the roots and marks, on all processors. Interrupted, it is an error
 * that says so. */
struct err *reach_create(struct session *session,
			 const struct reach_options *options,
			 struct reach **ret) MUST_USE;
void reach_destroy(struct reach *reach);

enum reach_class reach_class_of(const struct reach *reach, uint64_t buffer);

/* The first buffer in [from, upto) that is LEAKED or POSSIBLE; upto: none. */
uint64_t reach_next_lost(const struct reach *reach, uint64_t from,
			 uint64_t upto);
const struct reach_totals *reach_totals(const struct reach *reach);
const struct roots *reach_roots(const struct reach *reach);

/* For engines that go on from here; scan_forget() it when done. */
struct scan *reach_scan(const struct reach *reach);

#endif
