/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the parts of ::findleaks. */
#ifndef KDBG_DCMDS_FINDLEAKS_H
#define KDBG_DCMDS_FINDLEAKS_H

#include "kdbg/dcmds/dcmds.h"
#include "kdbg/dcmds/stack_lines.h"
#include "kdbg/leaks.h"

#include <stdio.h>

struct findleaks_options {
	bool detail, forget, verbose, possible, weak, unaligned;
	uint64_t mask;
	const char *since, *decode;
};

/* What counts as a pointer and as a leak, for this call and for what asks
 * later. */
struct err *findleaks_judge(struct session *session, struct heap *heap,
			    const struct findleaks_options *options) MUST_USE;

/* The function asked for; high 0: all. */
struct findleaks_filter {
	uint64_t low, high;
};

/* Did the group come from there? */
bool findleaks_from(struct session *session,
		    const struct findleaks_filter *filter,
		    const struct leak_group *group);

/* The rows of --weak, into the table that was announced. */
struct err *findleaks_weak(const struct dcmd_call *call,
			   const struct findleaks_filter *filter,
			   struct sink *out) MUST_USE;

struct findleaks_details {
	size_t threads;
	char hint[128];
	struct stack_lines samples, cycle;
};
struct findleaks_details findleaks_details(const struct leaks *leaks,
					   const struct leak_group *group,
					   struct symbols *symbols);
void findleaks_details_deinit(struct findleaks_details *details);

/* Notes: what stands for an empty table, -v's, and what every report ends with.
 */
void findleaks_none(struct heap *heap, const struct findleaks_filter *filter,
		    struct sink *out);
void findleaks_statistics(const struct reach *reach, struct sink *out);
void findleaks_trust(const struct reach *reach, const struct leaks *leaks,
		     bool possible, struct sink *out);

#endif
