/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Leaks: the buffers that nothing leads to, in groups that a person can act
 * upon.
 *
 * Leaked buffers that refer to each other in a circle (a ring, a tree with
 * parent pointers) are one knot; a buffer in no circle is a knot of its own. A
 * knot that no other leaked buffer refers to is definite: it was lost. The
 * others are indirect: they hang off a lost one. A knot is told by its leader,
 * the oldest of its buffers. Knots of one class whose leaders came from the
 * same cache and stack are one group, and every leaked buffer counts in the
 * leaked and bytes of exactly one.
 *
 * retained is what would be freed with the group: its own bytes and those of
 * all that only it leads to.
 */
#ifndef KDBG_LEAKS_H
#define KDBG_LEAKS_H

#include "dumpfmt/err.h"
#include "kdbg/heap.h"
#include "kdbg/reach.h"

struct session;
struct leaks;
struct symbol_frame;
struct symbols;

enum leak_class {
	LEAK_DEFINITE,
	LEAK_POSSIBLE, /* reachable, but only by an inner reference */
	LEAK_INDIRECT,
	LEAK_CLASS_COUNT
};
const char *leak_class_name(enum leak_class class);

struct leaks_options {
	uint64_t since; /* ticks: judge only what was allocated after; 0 all */
	const struct reach *reached_by; /* judge only what this came to */
};

struct leak_group {
	enum leak_class class;
	uint32_t number; /* its place in leaks_groups() */
	size_t cache;    /* index into heap_caches() */
	size_t instance;
	uint32_t stack;  /* of the first leader's allocation; 0 not known */
	uint64_t caller; /* first frame outside the allocator; 0 not known */
	uint64_t leaked; /* buffers */
	uint64_t bytes, retained;
	uint64_t smallest, largest; /* bytes of a buffer */
	uint64_t knots;
	uint64_t address, bufctl; /* of the oldest leader; bufctl 0: none */
	uint64_t leader_time, first_time, last_time; /* ticks; 0 not known */
	bool cycle;                                  /* some knot is a circle */
	bool large; /* buffers with pages of their own: kmem_oversize */
};

struct leaks_totals {
	uint64_t buffers[LEAK_CLASS_COUNT], bytes[LEAK_CLASS_COUNT];
};

struct err *leaks_create(struct session *session, struct reach *reach,
			 const struct leaks_options *options,
			 struct leaks **ret) MUST_USE;
void leaks_destroy(struct leaks *leaks);

/* By class (definite, possible, indirect), then retained bytes, most first,
 * then a fixed order. */
size_t leaks_groups(const struct leaks *leaks, const struct leak_group **ret);
const struct leaks_totals *leaks_totals(const struct leaks *leaks);

/* The buffers of a group, by address; false stops. */
typedef bool leak_fn(void *context, const struct heap_buffer *buffer);
struct err *leaks_each(const struct leaks *leaks, size_t group, leak_fn *each,
		       void *context) MUST_USE;

/* Which group holds the buffer that a bufctl or any address in it names?
 * False: none, it is not leaked. */
bool leaks_group_at(const struct leaks *leaks, uint64_t address, size_t *ret);

/* The innermost source frame, from the caller on, that is the program's and not
 * a system header's or library's; else the caller's. False: no source. */
bool leaks_site(const struct leaks *leaks, struct symbols *symbols,
		const struct leak_group *group, struct symbol_frame *ret);

/* The caller as "name+0x12 (file.c:42)", without what was inlined there; "-":
 * not known. symbols may be NULL. */
void leaks_caller(const struct leaks *leaks, struct symbols *symbols,
		  const struct leak_group *group, char *buffer, size_t size);

#endif
